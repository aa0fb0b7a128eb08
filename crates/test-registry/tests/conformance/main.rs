//! The embedded registry is not kinder than a real one: one list of checks, run against each of its
//! personalities and against Distribution, where Debian's `docker-registry` is installed.
//!
//! What only the embedded registry does (faults, the journal) is checked where it is used, in the
//! engine's and the binary's tests.

mod front;
mod ghcr;
mod manifests;
mod names;
mod personalities;
mod support;
mod tokens;
mod uploads;

use reqwest::{Method, StatusCode};
use test_registry::{Distribution, Options, Personality, TestRegistry, installed};

use support::{Subject, block_on, header, location};

/// Everything that any registry must do or refuse.
async fn conform(subject: &Subject) {
    uploads::missing_blob(subject).await;
    uploads::streamed_upload(subject).await;
    uploads::chunked_upload(subject).await;
    uploads::wrong_digest(subject).await;
    uploads::unknown_session(subject).await;
    uploads::closed_session(subject).await;
    uploads::broken_chunk(subject).await;
    manifests::manifests(subject).await;
    manifests::bad_manifests(subject).await;
    manifests::media_types(subject).await;
    manifests::malformed_manifests(subject).await;
    manifests::indexes(subject).await;
    uploads::mount(subject).await;
    names::names(subject).await;
    names::methods(subject).await;
}

#[test]
fn the_specification_personality() {
    let registry = TestRegistry::start(Options::default());
    block_on(conform(&Subject::new(registry.url())));
}

#[test]
fn the_ghcr_personality() {
    let mut options = Options::default();
    options.personality = Personality::Ghcr;
    let registry = TestRegistry::start(options);
    let mut subject = Subject::new(registry.url());
    subject.keeps_broken_chunks = true;
    block_on(conform(&subject));
}

#[test]
fn the_distribution_personality() {
    for personality in [Personality::Distribution, Personality::Hub] {
        let mut options = Options::default();
        options.personality = personality;
        let registry = TestRegistry::start(options);
        block_on(conform(&Subject::new(registry.url())));
    }
}

#[test]
fn distribution() {
    if installed(&["docker-registry"]) {
        let registry = Distribution::start().expect("docker-registry starts");
        block_on(conform(&Subject::new(registry.url())));
    }
}

/// The embedded registry is stricter here than Distribution 2.8, which ignores `Content-Range`.
#[test]
fn a_chunk_at_the_wrong_place_is_refused() {
    let registry = TestRegistry::start(Options::default());
    let subject = Subject::new(registry.url());
    block_on(async {
        let mut session = subject.start().await;
        for range in ["5-9", "0-9", "4-0", "nonsense", "0-4/5"] {
            let answer = subject
                .send(
                    Method::PATCH,
                    &session,
                    &[("content-range", range)],
                    b"12345",
                )
                .await;
            assert_eq!(
                answer.status(),
                StatusCode::RANGE_NOT_SATISFIABLE,
                "{range}"
            );
            assert_eq!(header(&answer, "range"), "0-0", "where to go on");
            session = location(&answer);
        }
    });
}
