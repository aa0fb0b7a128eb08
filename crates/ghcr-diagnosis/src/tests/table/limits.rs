//! Limits in the dress of a refusal: by other words, or by what an answer asks for.

use super::check;
use crate::Likelihood::{Likely, Proven};
use crate::tests::support::{denied, desk, job, silent};
use crate::{Context, Evidence, TokenKind, diagnose, log};

/// A permission that is lacking does not come with time, so that an answer that asks to wait is a limit.
#[test]
fn an_answer_that_asks_to_wait() {
    for evidence in [
        denied("denied"),
        denied("permission_denied: write_package"),
        denied("installation not allowed to Write organization package"),
        silent(oci_push::Step::StartUpload, "POST"),
        silent(oci_push::Step::CheckBlob, "HEAD"),
    ] {
        let evidence = Evidence {
            headers: vec![("retry-after".to_owned(), "60".to_owned())],
            ..evidence
        };
        for context in [
            job(),
            desk(TokenKind::ClassicPersonal),
            desk(TokenKind::FineGrainedPersonal),
        ] {
            let codes = &[("secondary-rate-limit", Likely)];
            check("Retry-After with a 403", &evidence, &context, codes);
            let diagnosis = diagnose(&evidence, &context).expect("a diagnosis");
            let told = diagnosis.causes[0].evidence.join("\n");
            assert!(told.contains("asks to wait 60 s"), "{told}");
            assert_eq!(diagnosis.causes[0].url, None);
        }
    }
}

/// GitHub's other words for limits
/// (<https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#rate-limit-errors>), and those of
/// services like it.
#[test]
fn other_words() {
    for words in [
        "permission_denied: rate limit reached, please slow down",
        "permission_denied: You are being rate limited",
        "permission_denied: rate-limited",
        "denied: you exceeded your rate limit",
        "permission_denied: Rate exceeded",
        "permission_denied: request was throttled",
        "permission_denied: You have triggered an abuse detection",
        "permission_denied: too many attempts, try again later",
    ] {
        let codes = &[("secondary-rate-limit", Proven)];
        check(words, &denied(words), &job(), codes);
    }
    let codes = &[("package-denies-repository", Likely)];
    let words = "permission_denied: write_package for owner/rate-limit";
    check("a name", &denied(words), &job(), codes);
}

#[test]
fn in_logs() {
    for log in [
        "failed to push ghcr.io/acme/app:v1: denied: rate limit reached, slow down: permission_denied: write_package",
        "failed to push ghcr.io/acme/app:v1: denied: permission_denied: rate limit reached, please slow down",
        "failed to push ghcr.io/acme/app:v1: denied: You are being rate limited",
        "failed to push ghcr.io/acme/app:v1: unexpected status from POST request to \
         https://ghcr.io/v2/acme/app/blobs/uploads/: 403 Forbidden, Retry-After: 60",
    ] {
        let refusals = log::recognise(log);
        assert_eq!(refusals.len(), 1, "{log}");
        let diagnosis = diagnose(&refusals[0], &Context::default()).expect("a diagnosis");
        assert_eq!(diagnosis.code.as_str(), "secondary-rate-limit", "{log}");
        assert_eq!(diagnosis.causes.len(), 1, "{log}");
    }
}
