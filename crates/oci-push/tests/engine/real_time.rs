//! Advised waits by the machine's own clock, as the registry sees them: when requests came, and how many were open.

use std::sync::Arc;
use std::time::Duration;

use oci_push::{FixedKeychain, Pusher, Reference, Silent};
use test_registry::{Action, Exchange, Fault, Journal, Options, Route, SampleImage, TestRegistry};

use crate::support::{Source, WIDTH, assert_published, crowded_after_a_limit, options};

/// No wait is shorter, whatever is advised.
const SHORTEST: Duration = Duration::from_millis(100);

fn limited(status: u16, after: Option<&str>, body: &str) -> Action {
    let headers = after.map(|after| ("retry-after".to_owned(), after.to_owned()));
    Action::Answer {
        status,
        headers: headers.into_iter().collect(),
        body: body.to_owned(),
    }
}

/// The journal of a push by the machine's own clock, over a link of 20 milliseconds.
fn push(layers: &[u64], fault: Fault) -> Journal {
    let mut settings = Options::default();
    settings.latency = Duration::from_millis(20);
    let registry = TestRegistry::start(settings);
    registry.fail(fault);
    let source = Source::new(&SampleImage::of_layers(layers));
    let keychain = Arc::new(FixedKeychain(None));
    let pusher = Pusher::new(options(), keychain, Arc::new(Silent)).expect("a client");
    let reference: Reference = format!("{}/owner/app:1", registry.host())
        .parse()
        .expect("a reference");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime
        .block_on(pusher.push(&source.image, &[reference]))
        .expect("the push succeeds");
    assert_published(&registry, &source);
    registry.journal()
}

/// From each refusal to the next request for the same thing.
fn gaps(journal: &Journal) -> Vec<Duration> {
    let is_refused = |one: &&Exchange| matches!(one.status, Some(429 | 503));
    let refused = journal.exchanges.iter().filter(is_refused);
    let gaps = refused.filter_map(|refused| {
        let ended = refused.ended?;
        let again = journal.exchanges.iter().find(|later| {
            later.at >= ended && (later.route, &later.path) == (refused.route, &refused.path)
        })?;
        Some(again.at.saturating_sub(ended))
    });
    gaps.collect()
}

#[test]
fn advised_waits_are_kept() {
    let cases = [
        (429, "2", 2.0),
        (503, "1", 1.0),
        (429, "1.5", 1.5),
        (429, "0", 0.1),
        (429, "-5", 0.1),
        (429, "soon", 0.1),
    ];
    for (status, after, seconds) in cases {
        let fault = Fault::new(limited(status, Some(after), ""));
        // Sessions of all blobs are opened at one address: there is one blob.
        let journal = push(&[], fault.on(Route::UploadStart).times(3));
        let gaps = gaps(&journal);
        assert_eq!(gaps.len(), 3, "{after}");
        for gap in gaps {
            let gap = gap.as_secs_f64();
            assert!((seconds..seconds + 10.0).contains(&gap), "{after}: {gap}");
        }
    }
}

/// While a registry says that it is too much, and until it has been content for a while, few requests are open.
#[test]
fn few_requests_are_open_after_a_limit() {
    let layers: Vec<u64> = (0..40).map(|number| 1000 + number).collect();
    let words = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 250.1ms, allowed: 2000/minute"}]}"#;
    // The answer to the HEAD of the tag, which is the first request of all, has no words.
    let routes = [
        (None, 6),
        (Some(Route::BlobHead), 20),
        (Some(Route::UploadStart), 20),
    ];
    for (route, times) in routes {
        let fault = Fault::new(limited(429, None, words)).times(times);
        let fault = route.into_iter().fold(fault, Fault::on);
        let journal = push(&layers, fault);
        // Sessions of all blobs are opened at one address.
        if route != Some(Route::UploadStart) {
            let gaps = gaps(&journal);
            assert_eq!(gaps.len(), times, "{route:?}");
            let is_patient = gaps.iter().all(|gap| *gap >= SHORTEST);
            assert!(is_patient, "{route:?}: {gaps:?}");
        }
        let crowded = crowded_after_a_limit(&journal);
        assert!(crowded <= WIDTH, "{route:?}: {crowded}");
    }
}
