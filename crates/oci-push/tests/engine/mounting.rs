//! Blobs that the registry takes over from another repository instead of having them sent.

use oci_push::Reference;
use test_registry::{Action, Fault, Options, Route, SampleImage, TestRegistry};

use crate::support::{PASSWORD, Source, USERNAME, assert_published, options, push, push_to};

fn source() -> Source {
    Source::new(&SampleImage::of_layers(&[200_000, 3000]))
}

fn references<const N: usize>(registry: &TestRegistry, names: [&str; N]) -> [Reference; N] {
    names.map(|name| {
        let reference = format!("{}/{name}", registry.host());
        reference.parse().expect("a reference")
    })
}

fn from(registry: &TestRegistry, names: &[&str]) -> oci_push::PushOptions {
    let mut options = options();
    options.mount_from = names
        .iter()
        .flat_map(|name| references(registry, [*name]))
        .collect();
    options
}

/// Each blob goes up once for all repositories of one registry.
#[test]
fn the_second_repository_takes_over_from_the_first() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = source();
    let references = references(&registry, ["owner/app:1", "owner/other:1"]);
    let pushed = push_to(&references, &source, options());
    let blobs = &pushed.report().blobs;
    assert_eq!((blobs.uploaded, blobs.mounted, blobs.existing), (3, 3, 0));
    assert_eq!(registry.journal().blob_bytes(), source.sample.blob_bytes());
    assert_published(&registry, &source);
    let other = registry
        .manifest("owner/other", "1")
        .expect("the tag is set");
    assert_eq!(other.digest, source.sample.digest);
}

/// Of several repositories, the one that has a blob is asked for it.
#[test]
fn the_one_of_several_that_has_it() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = source();
    let [base] = references(&registry, ["owner/base:1"]);
    push_to(&[base], &source, options()).report();
    registry.clear_journal();
    let options = from(&registry, &["owner/empty", "owner/base"]);
    let pushed = push(&registry, &source, options);
    assert_eq!(pushed.report().blobs.mounted, 3);
    assert_published(&registry, &source);
    let journal = registry.journal();
    assert_eq!(journal.blob_bytes(), 0);
    assert_eq!(journal.count(Route::UploadMount), 3);
    assert_eq!(journal.count(Route::UploadStart), 0);
}

/// A registry that cannot take a blob over opens a session in the same answer, and that is used.
#[test]
fn a_session_instead_of_a_mount_is_used() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = source();
    let pushed = push(&registry, &source, from(&registry, &["owner/empty"]));
    assert_eq!(pushed.report().blobs.uploaded, 3);
    assert_published(&registry, &source);
    let journal = registry.journal();
    assert_eq!(journal.count(Route::UploadMount), 3);
    assert_eq!(journal.count(Route::UploadStart), 0, "no second session");
}

/// One that refuses is not asked for every blob, and nothing is lost but a request.
#[test]
fn a_refused_mount_is_an_upload() {
    for refusal in [
        Action::error(403, "DENIED", "permission_denied: read_package"),
        Action::error(404, "NAME_UNKNOWN", "repository name not known to registry"),
        Action::error(405, "UNSUPPORTED", "The operation is unsupported."),
    ] {
        let registry = TestRegistry::start(Options::default());
        let source = source();
        registry.fail(Fault::new(refusal).on(Route::UploadMount));
        let mut options = from(&registry, &["owner/base"]);
        options.jobs = Some(1);
        let pushed = push(&registry, &source, options);
        assert_published(&registry, &source);
        assert_eq!(pushed.report().blobs.uploaded, 3);
        assert_eq!(pushed.retries, [""; 0]);
        assert_eq!(registry.journal().count(Route::UploadStart), 3);
    }
}

/// Neither is a break or an outage at that moment more than a lost economy.
#[test]
fn a_broken_mount_is_an_upload() {
    for fault in [Action::Reset, Action::error(503, "UNAVAILABLE", "later")] {
        let registry = TestRegistry::start(Options::default());
        let source = source();
        registry.fail(Fault::new(fault).on(Route::UploadMount));
        push(&registry, &source, from(&registry, &["owner/base"])).report();
        assert_published(&registry, &source);
    }
}

/// A confirmation that names another blob is none.
#[test]
fn another_digest_in_the_answer_is_no_mount() {
    let registry = TestRegistry::start(Options::default());
    let source = source();
    let digest = format!("sha256:{}", "0".repeat(64));
    let lie = Action::answer(201, &[("docker-content-digest", &digest)], "");
    registry.fail(Fault::new(lie).on(Route::UploadMount));
    push(&registry, &source, from(&registry, &["owner/base"])).report();
    assert_published(&registry, &source);
}

/// A token service that gives no token for both repositories gives one for the own.
#[test]
fn a_token_for_both_that_is_refused() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = source();
    registry.fail(
        Fault::new(Action::error(
            403,
            "DENIED",
            "requested access to the resource is denied",
        ))
        .on(Route::Token)
        .once(),
    );
    push(&registry, &source, from(&registry, &["stranger/base"])).report();
    assert_published(&registry, &source);
    let tokens: Vec<String> = registry
        .journal()
        .of(Route::Token)
        .map(|exchange| exchange.query.clone())
        .collect();
    assert!(tokens[0].contains("stranger"), "{tokens:?}");
    assert!(!tokens[1].contains("stranger"), "{tokens:?}");
}

/// What is on another registry is nobody's business here.
#[test]
fn another_registry_is_left_out() {
    let registry = TestRegistry::start(Options::default());
    let source = source();
    let mut options = options();
    options.mount_from = vec![
        "registry.example/owner/base:1"
            .parse()
            .expect("a reference"),
    ];
    push(&registry, &source, options).report();
    assert_published(&registry, &source);
    assert_eq!(registry.journal().count(Route::UploadMount), 0);
}

/// A token for both that turns out not to be good for the own repository is exchanged for one that is.
#[test]
fn a_token_for_both_that_is_no_good() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    // One blob: with several, the others' success would make it a refusal that passes.
    let source = Source::new(&SampleImage::of_layers(&[]));
    let unknown = Action::error(404, "NAME_UNKNOWN", "repository name not known to registry");
    registry.fail(Fault::new(unknown).on(Route::UploadMount));
    let denied = Action::error(403, "DENIED", "requested access to the resource is denied");
    registry.fail(Fault::new(denied).on(Route::UploadStart).once());
    push(&registry, &source, from(&registry, &["owner/base"])).report();
    assert_published(&registry, &source);
    let tokens: Vec<String> = registry
        .journal()
        .of(Route::Token)
        .map(|exchange| exchange.query.clone())
        .collect();
    assert_eq!(tokens.len(), 2, "{tokens:?}");
    assert!(
        tokens[0].contains("base") && !tokens[1].contains("base"),
        "{tokens:?}"
    );
}
