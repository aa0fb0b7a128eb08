//! The evidence of the engine's own failures.

use oci_push::{Failure, Step, Unanswered, UnansweredKind, Violation, ViolationKind};

use super::support::{codes, desk, run};
use crate::Likelihood::{self, Likely, Possible, Proven};
use crate::{Context, Evidence, TokenKind, Tool, diagnose, without_credential};

fn unanswered(step: Step, kind: UnansweredKind) -> Failure {
    Failure::Unanswered(Box::new(Unanswered {
        step,
        method: http::Method::PUT,
        host: "ghcr.io".to_owned(),
        url: "https://ghcr.io/v2/owner/app/blobs/upload/1".to_owned(),
        kind,
    }))
}

fn violation(kind: ViolationKind) -> Failure {
    Failure::Violation(Box::new(Violation {
        method: http::Method::POST,
        step: Step::CommitBlob,
        host: "ghcr.io".to_owned(),
        url: "https://ghcr.io/v2/owner/app/blobs/upload/1".to_owned(),
        kind,
    }))
}

#[track_caller]
fn check(failure: &Failure, context: &Context, expected: &[(&str, Likelihood)]) {
    let diagnosis = diagnose(&Evidence::of(failure), context);
    assert_eq!(codes(diagnosis.as_ref()), expected, "{failure:?}");
}

#[test]
fn without_an_answer() {
    let context = desk(TokenKind::ClassicPersonal);
    let broke = || UnansweredKind::Interrupted("reset".into());
    check(
        &unanswered(Step::UploadBlob, broke()),
        &context,
        &[
            ("registry-unavailable", Likely),
            ("upload-time-limit", Possible),
        ],
    );
    check(
        &unanswered(Step::CheckBlob, UnansweredKind::Deadline(30)),
        &context,
        &[("registry-unavailable", Likely)],
    );
    // Whoever pushed.
    let mut own = context.clone();
    own.tool = Tool::GhcrPush;
    for (kind, code) in [
        (UnansweredKind::Resolve("x".into()), "registry-unreachable"),
        (UnansweredKind::Connect("x".into()), "registry-unreachable"),
        (UnansweredKind::NotTls("x".into()), "registry-unreachable"),
        (
            UnansweredKind::Certificate("x".into()),
            "certificate-untrusted",
        ),
    ] {
        let failure = unanswered(Step::CheckBlob, kind);
        check(&failure, &own, &[(code, Proven)]);
        check(&failure, &context, &[(code, Proven)]);
    }
    let mut large = context.clone();
    large.largest_layer = Some(12_000_000_000);
    check(
        &unanswered(Step::UploadBlob, broke()),
        &large,
        &[
            ("layer-too-large", Likely),
            ("registry-unavailable", Likely),
            ("upload-time-limit", Possible),
        ],
    );
    let mut evidence = Evidence::of(&unanswered(Step::UploadBlob, broke()));
    evidence.seconds = Some(638);
    let late = diagnose(&evidence, &context);
    assert_eq!(
        codes(late.as_ref()),
        [
            ("upload-time-limit", Likely),
            ("registry-unavailable", Likely)
        ]
    );
    evidence.seconds = Some(12);
    let early = diagnose(&evidence, &context);
    assert_eq!(codes(early.as_ref()), [("registry-unavailable", Likely)]);
}

#[test]
fn with_an_answer_that_cannot_be_followed() {
    let context = Context::default();
    let portal = ViolationKind::RealmElsewhere("https://portal.example/login".to_owned());
    check(&violation(portal), &context, &[("intermediary", Likely)]);
    let digest = format!("sha256:{}", "0".repeat(64));
    check(
        &violation(ViolationKind::DigestDiffers {
            expected: digest.parse().expect("a digest"),
            found: "sha256:00".to_owned(),
        }),
        &context,
        &[("digest-mismatch", Proven)],
    );
    check(
        &violation(ViolationKind::BlobNotStored(
            digest.parse().expect("a digest"),
        )),
        &context,
        &[("blob-lost", Proven)],
    );
    check(&violation(ViolationKind::LocationMissing), &context, &[]);
}

/// Nothing is said of an answer that nobody asked for.
#[test]
fn without_a_credential() {
    let check = |context: &Context, expected: &[(&str, Likelihood)], evidence: &[&str]| {
        let diagnosis = without_credential(context);
        assert_eq!(codes(diagnosis.as_ref()), expected);
        let first = diagnosis.and_then(|diagnosis| diagnosis.causes.into_iter().next());
        let first = first.expect("a cause");
        assert_eq!(first.evidence, evidence);
        first
    };
    let mut context = run(|actions| actions.fork = Some(true));
    context.reference = "containers.example.ghe.com/owner/app:1".to_owned();
    context.searched = vec![
        "GHCR_PUSH_TOKEN (not set)".to_owned(),
        "gh (not installed)".to_owned(),
    ];
    // No login helps a run that may only read.
    let fork = without_credential(&context).expect("a diagnosis");
    assert_eq!(
        codes(Some(&fork)),
        [
            ("fork-pull-request", Likely),
            ("credential-missing", Possible),
        ]
    );
    context.actions.get_or_insert_default().fork = Some(false);
    let cause = check(
        &context,
        &[("credential-missing", Proven)],
        &[
            "looked at GHCR_PUSH_TOKEN (not set)",
            "looked at gh (not installed)",
        ],
    );
    assert!(
        cause
            .remedy
            .contains("docker login containers.example.ghe.com"),
        "{}",
        cause.remedy
    );
    assert!(cause.remedy.contains("secrets.GITHUB_TOKEN"));
    let mut elsewhere = context.clone();
    elsewhere.web_host = "example.ghe.com".to_owned();
    elsewhere.actions.get_or_insert_default().site = Some("github.com".to_owned());
    let diagnosis = without_credential(&elsewhere).expect("a diagnosis");
    assert!(!diagnosis.causes[0].remedy.contains("secrets.GITHUB_TOKEN"));
    context.actions = None;
    context.searched.clear();
    context.empty_variables = vec!["GITHUB_TOKEN".to_owned()];
    check(
        &context,
        &[("credential-empty", Proven)],
        &["set but empty: GITHUB_TOKEN"],
    );
}
