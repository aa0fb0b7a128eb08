//! Hosts that are named by whoever has no right to: a redirect whose target asks for a credential (case A05), and
//! layers that are said to be elsewhere (case A06). Nobody connects to them.

use std::io::ErrorKind;
use std::net::TcpListener;

use oci_archive::{Algorithm, Digest, Image, OpenOptions, media_type};
use oci_push::{Failure, Reference, ViolationKind};
use serde_json::json;
use test_registry::{Action, Fault, Options, Route, SampleImage, TestRegistry};

use crate::layout::Layout;
use crate::support::{
    PASSWORD, Pushed, Source, USERNAME, assert_published, assert_unpublished, options, push,
    push_image,
};

fn guarded() -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, PASSWORD))
}

/// A host of its own, which asks everybody for a token of `registry`'s own service: whoever trusts that sends one.
fn covetous(registry: &TestRegistry) -> TestRegistry {
    let elsewhere = TestRegistry::start(Options::default());
    elsewhere.fail(Fault::new(challenge(&registry.url())));
    elsewhere
}

/// 401, and that the token service is at `url`.
fn challenge(url: &str) -> Action {
    let service = "service=\"registry\",scope=\"repository:owner/app:pull,push\"";
    let challenge = format!("Bearer realm=\"{url}/token\",{service},error=\"invalid_token\"");
    Action::answer(401, &[("www-authenticate", &challenge)], "")
}

fn redirect(location: &str) -> Action {
    Action::answer(307, &[("location", location)], "")
}

/// Nobody has asked the other host for anything, with a token or without.
#[track_caller]
fn assert_untouched(elsewhere: &TestRegistry, what: Route) {
    let asked = elsewhere.journal().exchanges;
    let asked: Vec<_> = asked
        .iter()
        .map(|one| (one.route, one.authorization.clone()))
        .collect();
    assert_eq!(asked, [], "{what:?}");
}

#[test]
fn a05_a_redirect_to_another_host_that_asks_for_a_token() {
    for (route, is_vital) in [
        (Route::ManifestHead, true),
        // Proves nothing: the blob is sent.
        (Route::BlobHead, false),
        (Route::UploadStart, true),
        (Route::ManifestPut, true),
    ] {
        let registry = guarded();
        let elsewhere = covetous(&registry);
        let location = format!("{}/v2/owner/app/blobs/uploads/", elsewhere.url());
        // The first one has no token yet.
        let from = if route == Route::ManifestHead { 2 } else { 1 };
        let fault = Fault::new(redirect(&location)).on(route);
        registry.fail(fault.from_request(from));
        let source = Source::new(&SampleImage::of_layers(&[]));
        let pushed = push(&registry, &source, options());
        assert_untouched(&elsewhere, route);
        assert_eq!(registry.journal().count(Route::Token), 1, "{route:?}");
        if !is_vital {
            pushed.report();
            assert_published(&registry, &source);
            continue;
        }
        let Failure::Violation(violation) = pushed.failure() else {
            panic!("{route:?}: {:?}", pushed.failure());
        };
        let kind = &violation.kind;
        let is_told = matches!(kind, ViolationKind::RedirectElsewhere(_));
        assert!(is_told, "{route:?}: {kind:?}");
        assert_unpublished(&registry);
    }
}

/// A redirect that is followed leads to a challenge: tokens come from the registry, whoever is named there.
#[test]
fn a05_a_token_service_elsewhere_at_the_end_of_a_redirect() {
    for is_own in [true, false] {
        let registry = guarded();
        let elsewhere = covetous(&registry);
        let named = if is_own { &registry } else { &elsewhere };
        let again = redirect("/v2/owner/app/blobs/uploads/?again=1");
        registry.fail(Fault::new(again).on(Route::UploadStart).once());
        let asks = Fault::new(challenge(&named.url())).on(Route::UploadStart);
        registry.fail(asks.from_request(2).once());
        let source = Source::new(&SampleImage::of_layers(&[]));
        let pushed = push(&registry, &source, options());
        assert_untouched(&elsewhere, Route::UploadStart);
        let tokens = registry.journal().count(Route::Token);
        if is_own {
            pushed.report();
            assert_published(&registry, &source);
            assert_eq!(tokens, 2);
            continue;
        }
        let Failure::Violation(violation) = pushed.failure() else {
            panic!("{:?}", pushed.failure());
        };
        let kind = &violation.kind;
        assert!(matches!(kind, ViolationKind::RealmElsewhere(_)), "{kind:?}");
        assert_eq!(tokens, 1);
        assert_unpublished(&registry);
    }
}

/// A registry that sends elsewhere for what it has, and denies the rest, is believed at the end; one that sends elsewhere
/// for everything says nothing by it.
#[test]
fn blobs_that_are_confirmed_by_a_redirect() {
    for has_all in [false, true] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::new(&SampleImage::of_layers(&[1000]));
        let blobs = source.sample.blobs.len();
        let location = "http://127.0.0.2:1/blob";
        let fault = Fault::new(redirect(location)).on(Route::BlobHead);
        let fault = fault.from_request(blobs + 1);
        registry.fail(if has_all { fault } else { fault.times(1) });
        let mut options = options();
        options.verify = oci_push::Verify::Deep;
        let pushed = push(&registry, &source, options);
        if !has_all {
            pushed.report();
            // Once for each blob before and after, and once for one that nobody has.
            assert_eq!(registry.journal().count(Route::BlobHead), 2 * blobs + 1);
            continue;
        }
        let Failure::Violation(violation) = pushed.failure() else {
            panic!("{:?}", pushed.failure());
        };
        let kind = &violation.kind;
        assert!(matches!(kind, ViolationKind::BlobUntold(_)), "{kind:?}");
    }
}

/// An image of one layer, which the archive holds or not, and which is said to be at `urls` as well.
fn image(
    layer_type: &str,
    is_held: bool,
    url: &str,
) -> Result<(Image, Layout), oci_archive::OpenError> {
    let layout = Layout::new();
    let config = layout.blob(media_type::OCI_CONFIG, b"{\"os\":\"windows\"}");
    let mut layer = layout.blob(layer_type, b"layer");
    layer["urls"] = json!([format!("{url}/layer"), format!("{url}/v2/owner/app/other")]);
    if !is_held {
        let digest = Digest::of(Algorithm::Sha256, b"layer");
        let path = layout.0.path().join("blobs/sha256").join(digest.hex());
        std::fs::remove_file(path).expect("it was there");
    }
    let document = json!({ "schemaVersion": 2, "config": config, "layers": [layer] });
    let manifest = layout.manifest(&document);
    let image = layout.open(&[manifest], &OpenOptions::default())?;
    Ok((image, layout))
}

fn push_to_registry(registry: &TestRegistry, image: &Image) -> Pushed {
    let reference: Reference = format!("{}/owner/app:1", registry.host())
        .parse()
        .expect("a reference");
    push_image(&[reference], image, options())
}

/// What is not to be distributed is left where it is, or sent if the archive holds it; nobody gets it from there.
#[test]
fn a06_layers_that_are_elsewhere_are_not_fetched() {
    const FOREIGN: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a free port");
    elsewhere.set_nonblocking(true).expect("a socket");
    let url = format!("http://{}", elsewhere.local_addr().expect("an address"));
    let layer = Digest::of(Algorithm::Sha256, b"layer").to_string();
    for (layer_type, is_held) in [
        (FOREIGN, false),
        (FOREIGN, true),
        ("application/vnd.oci.image.layer.v1.tar", true),
    ] {
        let registry = guarded();
        let (image, _layout) = image(layer_type, is_held, &url).expect("sound");
        push_to_registry(&registry, &image).report();
        let stored = registry.manifest("owner/app", "1").expect("the tag is set");
        // With its URLs, byte for byte.
        assert_eq!(stored.digest, image.root().descriptor().digest.to_string());
        let is_stored = registry.blob("owner/app", &layer).is_some();
        assert_eq!(is_stored, is_held, "{layer_type}");
    }
    // Only what is not to be distributed may be missing.
    assert!(image("application/vnd.oci.image.layer.v1.tar", false, &url).is_err());
    let connection = elsewhere.accept().map_err(|error| error.kind());
    assert_eq!(connection.map(|_| ()), Err(ErrorKind::WouldBlock));
}
