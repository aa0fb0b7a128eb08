//! Questions beside a push: whether it may be, whether the repository exists, what the words of a mute
//! refusal are.

use std::sync::Arc;

use http::{HeaderMap, Method, StatusCode};
use oci_push::internals::{Request, Response};
use oci_push::{Credentials, Failure, FixedKeychain, Pusher, Reference, Rejection, Silent, Step};
use test_registry::{Action, Fault, Options, Refusal, Route, TestRegistry};

use crate::support::{Impatient, PASSWORD, Source, USERNAME, options, push};

fn asked<T>(registry: &TestRegistry, question: impl AsyncFnOnce(&Pusher, &Reference) -> T) -> T {
    let reference: Reference = format!("{}/owner/app:1", registry.host())
        .parse()
        .expect("a reference");
    let keychain = Arc::new(FixedKeychain(Some(Credentials {
        username: USERNAME.to_owned(),
        password: PASSWORD.into(),
    })));
    let clock = Arc::new(Impatient::default());
    let pusher =
        Pusher::with_clock(options(), keychain, Arc::new(Silent), clock).expect("a client");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(question(&pusher, &reference))
}

#[test]
fn a_push_that_may_be() {
    for options in [Options::default(), Options::ghcr(USERNAME, PASSWORD)] {
        let registry = TestRegistry::start(options);
        asked(&registry, Pusher::may_push).expect("it may be");
        let journal = registry.journal();
        // That of ghcr.io is refused, which changes nothing.
        assert_eq!(journal.count(Route::UploadCancel), 1);
        assert_eq!(journal.blob_bytes(), 0);
        assert_eq!(registry.tags("owner/app"), [""; 0]);
    }
}

#[test]
fn a_push_that_may_not_be() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    registry.deny("owner/app", Refusal::WritePackage);
    let failure = asked(&registry, Pusher::may_push).expect_err("it is refused");
    let rejection = failure.rejection().expect("a refusal");
    assert_eq!(rejection.words(), "permission_denied: write_package");
    assert_eq!(registry.journal().count(Route::UploadCancel), 0);
}

#[test]
fn repositories() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    assert_eq!(asked(&registry, Pusher::has_repository), Some(false));
    push(&registry, &Source::ten_mib(), options()).report();
    assert_eq!(asked(&registry, Pusher::has_repository), Some(true));
    let refused = Action::error(403, "DENIED", "permission_denied: read_package");
    registry.fail(Fault::new(refused).on(Route::TagsList));
    assert_eq!(asked(&registry, Pusher::has_repository), None);
}

/// Advice is not worth waiting for: one request of a kind, and three seconds at most.
#[test]
fn repositories_of_a_registry_in_trouble() {
    let unavailable = Action::answer(503, &[], "");
    for (route, action) in [
        (Route::TagsList, unavailable.clone()),
        (Route::TagsList, Action::Stall),
        (Route::Token, unavailable),
    ] {
        let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
        registry.fail(Fault::new(action).on(route));
        let start = std::time::Instant::now();
        assert_eq!(asked(&registry, Pusher::has_repository), None);
        // A request that has to be answered is waited for half a minute; a busy machine takes its time as well.
        assert!(start.elapsed().as_secs() < 25, "{:?}", start.elapsed());
        assert_eq!(registry.journal().count(route), 1, "{route:?}");
    }
}

/// A refusal of HEAD, as it comes.
fn mute(registry: &TestRegistry, status: StatusCode) -> Failure {
    let blob = format!("sha256:{}", "0".repeat(64));
    let url = format!("{}/v2/owner/app/blobs/{blob}", registry.url());
    let url: url::Url = url.parse().expect("a URL");
    let request = Request::new(Step::CheckBlob, Method::HEAD, url.clone());
    let response = Response {
        status,
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
        url,
    };
    Failure::Rejected(Box::new(Rejection::new(&request, &response)))
}

/// What is said when the same is asked with other methods.
fn words(registry: &TestRegistry, status: StatusCode) -> (Step, String) {
    let failure = mute(registry, status);
    let worded = asked(registry, async |pusher, reference| {
        pusher.with_words(reference, failure).await
    });
    let rejection = worded.rejection().expect("a refusal");
    (rejection.step, rejection.words())
}

/// A limit says all there is to say, and whoever asks again waits for its end.
#[test]
fn a_limit_is_not_asked_for_words() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let limited = StatusCode::TOO_MANY_REQUESTS;
    assert_eq!(words(&registry, limited), (Step::CheckBlob, String::new()));
    assert_eq!(registry.journal().exchanges.len(), 0);
}

#[test]
fn words_for_a_mute_refusal() {
    let refused = StatusCode::FORBIDDEN;
    // Of the same question as a GET.
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    registry.deny("owner/app", Refusal::ReadPackage);
    let said = "permission_denied: read_package".to_owned();
    assert_eq!(words(&registry, refused), (Step::CheckBlob, said));
    assert_eq!(registry.journal().count(Route::UploadStart), 0);
    // Of the request for an upload: reading is allowed, or refused without words too.
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    registry.deny("owner/app", Refusal::WritePackage);
    let silence = Action::answer(403, &[], "");
    registry.fail(Fault::new(silence).on(Route::BlobGet));
    let said = "permission_denied: write_package".to_owned();
    assert_eq!(words(&registry, refused), (Step::StartUpload, said));
    // Of none: the refusal was a passing one, and stays as it was.
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    assert_eq!(words(&registry, refused), (Step::CheckBlob, String::new()));
    // Another matter than access is not asked of the upload.
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    registry
        .fail(Fault::new(Action::error(400, "NAME_INVALID", "no such name")).on(Route::BlobGet));
    let (step, said) = words(&registry, StatusCode::BAD_REQUEST);
    assert_eq!((step, said.as_str()), (Step::CheckBlob, "no such name"));
    assert_eq!(registry.journal().count(Route::UploadStart), 0);
}
