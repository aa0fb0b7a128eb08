//! `docs/diagnoses.md` is what the codes say of themselves, each with a sample that the rules give.

use std::fmt::Write as _;

use expect_test::expect_file;
use oci_push::Step;

use super::support::{denied, desk, job, refusal, run, silent};
use crate::{Cause, Code, Context, Credential, Evidence, Link, TokenKind, Tool, Trouble, diagnose};

const INTRODUCTION: &str = "\
# Diagnoses

What `ghcr-push` says when GitHub Container Registry refuses, how it knows, and what to do. The codes are stable:
they stand in the text, and in `--json` under `diagnosis`. This page is generated from the rules
(`UPDATE_EXPECT=1 cargo test -p ghcr-diagnosis`).

Likelihood: `proven`, the evidence leaves no other explanation; `likely`, it explains the evidence best; `possible`, it
would explain it too. A fact that is not known is never taken for \"no\".

ghcr.io has two locks. One is the token's: may it write packages at all? The other is the package's: whom does it
admit? The words of the refusal tell which one is shut, and the remedy for one does nothing for the other. A rate
limit may be dressed as either; it is looked for first.

`ghcr-push explain` finds refused pulls in logs, too: of base images, caches, charts. They have the same codes, and
remedies that let read: `read:packages`, `packages: read`, the role Read.
";

/// A situation in which the code is the first cause, or as far up as it comes.
fn sample(code: Code) -> (Evidence, Context) {
    let create = "installation not allowed to Create organization package";
    match code {
        Code::PackageDeniesRepository => {
            let mut context = job();
            context.package_facts.link = Link::Unlinked;
            (denied("permission_denied: write_package"), context)
        }
        Code::PackageDeniesUser => (
            denied("permission_denied: write_package"),
            desk(TokenKind::ClassicPersonal),
        ),
        Code::PackageUnreadable => (denied("permission_denied: read_package"), job()),
        Code::PackageJustCreated => {
            let mut context = job();
            context.just_created = Some(true);
            (silent(Step::CheckBlob, "HEAD"), context)
        }
        Code::ForkPullRequest => (
            denied(create),
            run(|actions| {
                actions.fork = Some(true);
                actions.head_repository = Some("somebody/source".to_owned());
            }),
        ),
        Code::Dependabot => (
            denied(create),
            run(|actions| actions.actor = Some("dependabot[bot]".to_owned())),
        ),
        Code::ReusableWorkflow => (
            denied(create),
            run(|actions| {
                actions.reusable = Some(true);
                actions.called_workflow =
                    Some("owner/shared/.github/workflows/image.yml".to_owned());
            }),
        ),
        Code::OrganizationPolicy => (
            denied(create),
            run(|actions| {
                actions.granted = Some(crate::Access::Write);
                actions.reusable = Some(false);
            }),
        ),
        Code::CannotCreatePackage => (
            denied("permission_denied: create_package"),
            desk(TokenKind::ClassicPersonal),
        ),
        Code::AppTokenUnsupported => (
            denied("permission_denied: installation not allowed to Create organization package"),
            run(|actions| actions.token_is_own = Some(false)),
        ),
        Code::FineGrainedTokenUnsupported => (
            denied("permission_denied: The token provided does not match expected scopes."),
            desk(TokenKind::FineGrainedPersonal),
        ),
        Code::MissingScope => (
            denied("permission_denied: The token provided does not match expected scopes."),
            desk(TokenKind::OAuth),
        ),
        Code::NamespaceMismatch => (
            denied("permission_denied: The requested installation does not exist."),
            run(|actions| actions.repository = "Somebody/source".to_owned()),
        ),
        Code::OwnerNotFound => (
            denied("not_found: owner not found"),
            desk(TokenKind::ClassicPersonal),
        ),
        Code::SsoNotAuthorised => (
            denied(
                "permission_denied: Resource protected by organization SAML enforcement. You must grant your Personal \
                 Access token access to this organization.",
            ),
            desk(TokenKind::ClassicPersonal),
        ),
        Code::IpNotAllowed => (
            denied(
                "permission_denied: Although you appear to have the correct authorization credentials, the `owner` \
                 organization has an IP allow list enabled, and your IP address is not permitted to access this resource.",
            ),
            desk(TokenKind::ClassicPersonal),
        ),
        Code::Billing => (
            denied(
                "Encountered a billing-related error. Please verify the billing status for this account.",
            ),
            desk(TokenKind::ClassicPersonal),
        ),
        Code::WorkflowLacksPackagesWrite => (denied(create), job()),
        Code::UnknownDenial => (denied("permission_denied: the moon is wrong"), job()),
        _ => sample_of_the_rest(code),
    }
}

#[expect(clippy::too_many_lines, reason = "a table of samples")]
fn sample_of_the_rest(code: Code) -> (Evidence, Context) {
    let mut token_service = denied("denied");
    token_service.step = Some(Step::FetchToken);
    let mut context = desk(TokenKind::ClassicPersonal);
    let mut evidence = refusal(500, "", "");
    evidence.step = Some(Step::UploadBlob);
    evidence.method = Some("PUT".to_owned());
    match code {
        Code::CredentialMissing => {
            context.credential = Credential::Absent;
            context.tool = Tool::GhcrPush;
            evidence = token_service;
        }
        Code::CredentialEmpty => {
            context.credential = Credential::Absent;
            context.empty_variables = vec!["GHCR_PUSH_TOKEN".to_owned()];
            evidence = token_service;
        }
        Code::CredentialRejected => evidence = token_service,
        Code::CredentialExpired => {
            context.succeeded_before = Some(true);
            evidence = token_service;
        }
        Code::SecondaryRateLimit => {
            evidence = denied(
                "permission_denied: Error from intermediary with HTTP status code 403 \"Forbidden\" - with-body: \
                 {\"message\": \"You have exceeded a secondary rate limit.\"}",
            );
        }
        Code::RateLimit => {
            evidence = refusal(
                429,
                "TOOMANYREQUESTS",
                "retry-after: 10.487765ms, allowed: 2000/minute",
            );
        }
        Code::RegistryUnavailable => evidence.status = Some(502),
        Code::RegistryUnreachable | Code::CertificateUntrusted | Code::ReferenceInvalid => {
            evidence = Evidence {
                trouble: Some(match code {
                    Code::CertificateUntrusted => Trouble::Certificate,
                    Code::ReferenceInvalid => Trouble::InvalidReference { is_uppercase: true },
                    _ => Trouble::Resolve,
                }),
                reference: Some("ghcr.io/Owner/App:1.2".to_owned()),
                errors: Vec::new(),
                status: None,
                ..evidence
            };
            context.tool = Tool::Another;
        }
        Code::Intermediary => {
            evidence.status = Some(413);
            evidence.errors = Vec::new();
            evidence.body =
                Some("<html><head><title>413 Request Entity Too Large</title>".to_owned());
            context.proxy_variables = vec!["HTTPS_PROXY".to_owned()];
        }
        Code::ReferenceWithoutOwner => {
            evidence = silent(Step::CheckBlob, "HEAD");
            evidence.status = Some(400);
            evidence.url = Some("https://ghcr.io/v2/tenant/blobs/sha256:00".to_owned());
        }
        Code::LookalikeHost => {
            evidence = denied("denied");
            evidence.host = Some("ghrc.io".to_owned());
        }
        Code::LayerTooLarge => {
            evidence.status = Some(400);
            context.largest_layer = Some(16_000_000_000);
        }
        Code::ChunkTooLarge => {
            evidence = refusal(
                416,
                "REQUESTED_RANGE_NOT_SATISFIABLE",
                "the request body is too large and exceeds the maximum permissible limit of 4.00MiB",
            );
        }
        Code::UploadTimeLimit => {
            evidence.status = None;
            evidence.trouble = Some(Trouble::Interrupted);
            evidence.seconds = Some(638);
        }
        Code::BlobLost => {
            evidence = refusal(
                404,
                "BLOB_UPLOAD_UNKNOWN",
                "blob upload unknown to registry",
            );
            evidence.step = Some(Step::CommitBlob);
        }
        Code::ManifestUnknown => {
            evidence = refusal(404, "MANIFEST_UNKNOWN", "manifest unknown");
            evidence.step = Some(Step::CheckManifest);
            evidence.is_pull = true;
            context.tool = Tool::Another;
        }
        Code::ManifestRejected => {
            evidence = refusal(400, "MANIFEST_INVALID", "manifest invalid");
            evidence.step = Some(Step::PutTag);
        }
        _ => {
            evidence = refusal(
                400,
                "DIGEST_INVALID",
                "provided digest did not match uploaded content",
            );
            evidence.step = Some(Step::CommitBlob);
        }
    }
    (evidence, context)
}

fn render(page: &mut String, code: Code, cause: &Cause) -> std::fmt::Result {
    let about = code.about();
    writeln!(page, "\n## `{code}`\n")?;
    writeln!(page, "- **Cause**: {}", about.cause)?;
    writeln!(page, "- **Evidence**: {}", about.evidence)?;
    writeln!(page, "- **Remedy**: {}", about.remedy)?;
    let sources: Vec<String> = about
        .sources
        .iter()
        .map(|source| format!("<{source}>"))
        .collect();
    writeln!(page, "- **Sources**: {}", sources.join(", "))?;
    writeln!(page, "\n```text\n{} ({})", cause.code, cause.likelihood)?;
    writeln!(page, "{}", cause.why)?;
    for evidence in &cause.evidence {
        writeln!(page, "  - {evidence}")?;
    }
    writeln!(page, "{}", cause.remedy)?;
    if let Some(url) = cause
        .url
        .as_ref()
        .filter(|url| !cause.remedy.contains(*url))
    {
        writeln!(page, "{url}")?;
    }
    writeln!(page, "```")
}

#[test]
fn the_handbook_is_current() {
    let mut page = INTRODUCTION.to_owned();
    for code in Code::ALL {
        let (evidence, context) = sample(code);
        let diagnosis = diagnose(&evidence, &context);
        let causes = diagnosis
            .map(|diagnosis| diagnosis.causes)
            .unwrap_or_default();
        let cause = causes.iter().find(|cause| cause.code == code);
        let cause = cause.unwrap_or_else(|| panic!("the sample of {code} gives {causes:?}"));
        // What does not help is never advised (https://github.com/Siddhant-K-code/distill/pull/14).
        for other in &causes {
            assert!(!other.remedy.contains("id-token") && !other.remedy.contains("attestations"));
        }
        render(&mut page, code, cause).expect("a string takes any text");
    }
    expect_file!["../../../../docs/diagnoses.md"].assert_eq(&page);
}

/// The first sentence of a text.
fn first_sentence(text: &str) -> &str {
    let end = text.find(". ").unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

/// The same without what explains it after a colon.
fn in_short(text: &str) -> &str {
    let sentence = first_sentence(text);
    // A colon within code is part of it.
    let mut colons = sentence.match_indices(": ").map(|(position, _)| position);
    let end = colons.find(|end| sentence[..*end].matches('`').count().is_multiple_of(2));
    &sentence[..end.unwrap_or(sentence.len())]
}

/// The table in `README.md` stands between two marks, and has every code.
#[test]
fn the_table_of_the_readme_is_current() {
    const MARKS: [&str; 2] = ["<!-- diagnoses -->\n", "<!-- end of diagnoses -->"];
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(path).expect("it is there");
    let [start, end] = MARKS.map(|mark| readme.find(mark).expect("the mark is there"));
    let mut table = "| code | what it is | what to do |\n|---|---|---|\n".to_owned();
    for code in Code::ALL {
        let about = code.about();
        let (cause, remedy) = (in_short(about.cause), first_sentence(about.remedy));
        let row = format!("| [`{code}`](docs/diagnoses.md#{code}) | {cause} | {remedy} |\n");
        table.push_str(&row);
    }
    let start = start + MARKS[0].len();
    let expected = format!("{}{table}{}", &readme[..start], &readme[end..]);
    expect_file!["../../../../README.md"].assert_eq(&expected);
}
