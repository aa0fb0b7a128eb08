//! What is advised has to work where it is followed.

use oci_push::Step;

use super::check;
use crate::Likelihood::{Likely, Possible, Proven};
use crate::tests::support::{denied, desk, job, refusal, run, silent};
use crate::{
    Client, Code, Context, Credential, CredentialFacts, Evidence, OwnerKind, TokenKind, Tool,
    diagnose, is_lookalike,
};

/// The remedy for `code`.
#[track_caller]
fn remedy(evidence: &Evidence, context: &Context, code: Code) -> String {
    let diagnosis = diagnose(evidence, context).expect("a diagnosis");
    let mut causes = diagnosis.causes.into_iter();
    let cause = causes.find(|cause| cause.code == code);
    cause.expect("the cause is among them").remedy
}

/// What gives a credential to the tool that pushed, for the registry that it pushed to.
#[test]
fn a_missing_credential() {
    let anonymous = Evidence {
        anonymous: Some(true),
        ..denied("denied")
    };
    let by = |client| Evidence {
        client: Some(client),
        ..anonymous.clone()
    };
    let mut another = desk(TokenKind::Unknown);
    another.credential = Credential::Absent;
    let mut own = another.clone();
    own.tool = Tool::GhcrPush;
    let mut forced = own.clone();
    forced.forced_source = Some("docker".to_owned());
    let mut broken = own.clone();
    broken.source_problems = vec!["config.json: it is no JSON".to_owned()];
    let mut elsewhere = anonymous.clone();
    elsewhere.host = Some("registry.example".to_owned());
    for (evidence, has_page) in [(&anonymous, true), (&elsewhere, false)] {
        let diagnosis = diagnose(evidence, &own).expect("a diagnosis");
        assert_eq!(diagnosis.causes[0].url.is_some(), has_page, "{diagnosis:?}");
    }
    for (evidence, context, beginning, there, not_there) in [
        (
            &anonymous,
            &own,
            "Set GHCR_PUSH_TOKEN",
            "GITHUB_TOKEN:",
            "login-action",
        ),
        (
            &anonymous,
            &another,
            "Log in",
            "docker/login-action",
            "GHCR_PUSH_TOKEN",
        ),
        (
            &by(Client::Helm),
            &another,
            "Log in",
            "Elsewhere, log in with `helm registry login ghcr.io`.",
            "podman",
        ),
        (
            &by(Client::Podman),
            &another,
            "Log in",
            "`podman login ghcr.io`",
            "docker login ",
        ),
        (
            &by(Client::Kubelet),
            &another,
            "Before the push, make a secret",
            "imagePullSecrets",
            "login-action",
        ),
        (
            &anonymous,
            &forced,
            "`--credential-source` takes docker",
            "leave the option out",
            "GHCR_PUSH_TOKEN",
        ),
        (
            &anonymous,
            &broken,
            "Mend this first: config.json: it is no JSON.",
            "GHCR_PUSH_TOKEN",
            "login-action",
        ),
        (
            &elsewhere,
            &own,
            "Set GHCR_PUSH_TOKEN",
            "docker login registry.example",
            "GITHUB_TOKEN",
        ),
        (
            &elsewhere,
            &another,
            "Before the push, log in",
            "docker login registry.example",
            "GITHUB_TOKEN",
        ),
    ] {
        let advice = remedy(evidence, context, Code::CredentialMissing);
        assert!(advice.starts_with(beginning), "{advice}");
        assert!(
            advice.contains(there) && !advice.contains(not_there),
            "{advice}"
        );
    }
}

/// `denied` and nothing else, where no package was in question yet.
#[test]
fn a_bare_denial() {
    let at = |method: &str, path: &str, step: Option<Step>| Evidence {
        step,
        method: Some(method.to_owned()),
        url: Some(format!("https://ghcr.io{path}")),
        status: None,
        ..denied("")
    };
    let rejected = &[
        ("credential-rejected", Likely),
        ("credential-missing", Possible),
    ];
    let unknown = Context::default();
    for evidence in [
        at("GET", "/v2/", None),
        at("GET", "/token?scope=repository:owner/app:pull", None),
        at("GET", "/v2/owner/app/manifests/1", None),
        at(
            "GET",
            "/v2/owner/app/manifests/1",
            Some(Step::CheckManifest),
        ),
    ] {
        check(
            "https://github.com/dexidp/dex/issues/2672",
            &evidence,
            &unknown,
            rejected,
        );
    }
    let write = diagnose(&at("POST", "/v2/owner/app/blobs/uploads/", None), &unknown);
    let write = write.expect("a diagnosis");
    assert_eq!(
        write.summary,
        "the registry refused without saying why; `ghcr-push check REFERENCE` asks for its words"
    );
}

/// The words are not to be asked for by what has asked for them.
#[test]
fn no_circle() {
    let bare = silent(Step::StartUpload, "POST");
    let mut context = job();
    for (tool, advised) in [(Tool::Another, true), (Tool::GhcrPush, false)] {
        context.tool = tool;
        let diagnosis = diagnose(&bare, &context).expect("a diagnosis");
        let told = format!("{diagnosis:?}");
        assert_eq!(told.contains("ghcr-push check"), advised, "{told}");
    }
}

/// The credential that was meant may be among those that were passed over.
#[test]
fn what_was_passed_over() {
    let mut context = desk(TokenKind::ClassicPersonal);
    context.shadowed = vec![CredentialFacts {
        source: "config.json".to_owned(),
        kind: TokenKind::ClassicPersonal,
    }];
    context.empty_variables = vec!["GITHUB_TOKEN".to_owned()];
    for words in [
        "permission_denied: The token provided does not match expected scopes.",
        "permission_denied: write_package",
        "permission_denied: read_package",
        "installation not allowed to Write organization package",
        "denied",
    ] {
        let diagnosis = diagnose(&denied(words), &context).expect("a diagnosis");
        let evidence = &diagnosis.causes[0].evidence;
        for line in ["the one from config.json", "GITHUB_TOKEN is set, but empty"] {
            let count = evidence.iter().filter(|told| told.contains(line)).count();
            assert_eq!(count, 1, "{words}: {evidence:?}");
        }
    }
}

#[test]
fn hosts_that_look_alike() {
    for (host, expected) in [
        ("ghrc.io", true),
        ("gchr.io", true),
        ("gcrh.io", true),
        ("ghcr.com", true),
        ("ghcr.co", true),
        ("ghcr.oi", true),
        ("ghcri.io", true),
        ("ghcr.id", true),
        ("hgcr.io", true),
        ("ghcr.i0", true),
        ("GHCCR.io:443", true),
        ("ghcrio", true),
        ("qhcr.io", true),
        ("ghcr.io", false),
        ("ghcr.io:443", false),
        ("gcr.io", false),
        ("ghcr.go", false),
        ("quay.io", false),
        ("", false),
    ] {
        assert_eq!(is_lookalike(host), expected, "{host}");
    }
}

/// The API's limit is counted by the hour, and is not the registry's.
#[test]
fn the_limit_of_the_api() {
    let words = "API rate limit exceeded for installation ID 12.";
    let mut marked = refusal(403, "DENIED", "forbidden");
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    marked.headers = vec![
        header("x-ratelimit-remaining", "0"),
        header("x-ratelimit-reset", "1795305541"),
    ];
    for (evidence, end) in [(denied(words), "hour"), (marked, "00:00 UTC")] {
        check("the API's", &evidence, &job(), &[("rate-limit", Proven)]);
        let diagnosis = diagnose(&evidence, &job()).expect("a diagnosis");
        let cause = &diagnosis.causes[0];
        assert!(!cause.why.contains("2000"), "{}", cause.why);
        assert!(cause.remedy.contains(end), "{}", cause.remedy);
    }
    let registrys = refusal(
        429,
        "TOOMANYREQUESTS",
        "retry-after: 10ms, allowed: 2000/minute",
    );
    let diagnosis = diagnose(&registrys, &job()).expect("a diagnosis");
    assert!(diagnosis.causes[0].why.contains("2000"), "{diagnosis:?}");
}

/// What the registry says of owners and installations is not repeated against what is known.
#[test]
fn facts_are_not_contradicted() {
    let absent = denied("permission_denied: The requested installation does not exist.");
    let advice = remedy(
        &absent,
        &run(|actions| actions.repository = "Owner/site".to_owned()),
        Code::NamespaceMismatch,
    );
    assert!(
        advice.contains("GITHUB_TOKEN holds this job's own token"),
        "{advice}"
    );
    let unknown = denied("not_found: owner not found");
    let mut known = job();
    known.owner_exists = Some(true);
    check(
        "GitHub knows it",
        &unknown,
        &known,
        &[("owner-not-found", Possible)],
    );
    check(
        "it is not known",
        &unknown,
        &job(),
        &[("owner-not-found", Proven)],
    );
}

/// Conditions that hold in the runs that are to publish, and in no other.
#[test]
fn conditions() {
    let write = denied("installation not allowed to Write organization package");
    let fork = remedy(
        &write,
        &run(|actions| actions.fork = Some(true)),
        Code::ForkPullRequest,
    );
    let condition = "if: github.event.pull_request == null || \
                     github.event.pull_request.head.repo.full_name == github.repository";
    assert!(fork.contains(condition), "{fork}");
    for (event, condition) in [
        (
            "pull_request",
            "if: github.event.pull_request == null || github.event.pull_request.user.login != 'dependabot[bot]'",
        ),
        (
            "pull_request_target",
            "if: github.event.pull_request == null || github.event.pull_request.user.login != 'dependabot[bot]'",
        ),
        (
            "push",
            "if: ${{ !startsWith(github.ref, 'refs/heads/dependabot/') }}",
        ),
    ] {
        let context = run(|actions| {
            actions.actor = Some("dependabot[bot]".to_owned());
            actions.event = Some(event.to_owned());
        });
        let advice = remedy(&write, &context, Code::Dependabot);
        assert!(advice.contains(condition), "{event}: {advice}");
        assert!(advice.contains("packages: write"), "{event}: {advice}");
        let is_push = event == "push";
        assert_eq!(
            advice.contains("when the update is merged"),
            !is_push,
            "{advice}"
        );
    }
}

/// What a job can push with is its own token; there is no scope to tick on an installation's.
#[test]
fn tokens_of_installations() {
    let scopes = denied("permission_denied: The token provided does not match expected scopes.");
    let other = run(|actions| actions.token_is_own = Some(false));
    let prefixed =
        denied("permission_denied: installation not allowed to Write organization package");
    for (evidence, context, code) in [
        (&scopes, &job(), Code::MissingScope),
        (&scopes, &desk(TokenKind::Installation), Code::MissingScope),
        (&denied("denied"), &job(), Code::CredentialRejected),
        (&prefixed, &other, Code::AppTokenUnsupported),
    ] {
        let advice = remedy(evidence, context, code);
        assert!(
            advice.contains("${{ secrets.GITHUB_TOKEN }}"),
            "{code}: {advice}"
        );
        assert!(
            !advice.contains("classic") && !advice.contains("tick"),
            "{code}: {advice}"
        );
    }
}

#[test]
fn a_fine_grained_token_that_the_api_takes() {
    let mut context = desk(TokenKind::FineGrainedPersonal);
    context.token.accepted = Some(true);
    context.owner_kind = Some(OwnerKind::User);
    let refused = Evidence {
        step: Some(Step::FetchToken),
        ..denied("denied")
    };
    let codes = &[
        ("fine-grained-token-unsupported", Likely),
        ("credential-rejected", Possible),
    ];
    check(
        "https://github.com/docker/login-action/issues/331",
        &refused,
        &context,
        codes,
    );
}
