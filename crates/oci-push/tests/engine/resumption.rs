//! A second run that goes on where the first was cut off.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use oci_push::{Profile, SessionJournal, UploadKey, UploadMode};
use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{
    MIB, PASSWORD, Pushed, Source, USERNAME, assert_published, options, push_prepared,
};

/// The journal of a machine, kept from run to run.
#[derive(Default)]
struct Memory(Mutex<HashMap<String, String>>);

impl Memory {
    fn urls(&self) -> Vec<String> {
        let kept = self.0.lock().expect("no panic");
        kept.values().cloned().collect()
    }

    fn set(&self, url: &str) {
        let mut kept = self.0.lock().expect("no panic");
        for value in kept.values_mut() {
            url.clone_into(value);
        }
    }
}

fn name(key: &UploadKey<'_>) -> String {
    format!("{} {}", key.repository, key.digest)
}

impl SessionJournal for Memory {
    fn recall(&self, key: &UploadKey<'_>) -> Option<String> {
        self.0.lock().expect("no panic").get(&name(key)).cloned()
    }

    fn note(&self, key: &UploadKey<'_>, url: &str) {
        let mut kept = self.0.lock().expect("no panic");
        kept.insert(name(key), url.to_owned());
    }

    fn forget(&self, key: &UploadKey<'_>) {
        self.0.lock().expect("no panic").remove(&name(key));
    }
}

fn large() -> Source {
    Source::new(&SampleImage::of_layers(&[65 * MIB]))
}

fn run(
    registry: &TestRegistry,
    source: &Source,
    journal: &Arc<Memory>,
    mode: UploadMode,
) -> Pushed {
    let mut options = options();
    options.upload_mode = mode;
    options.profile = Some(Profile::Ghcr);
    let reference = format!("{}/owner/app:1", registry.host());
    let references = [reference.parse().expect("a reference")];
    let journal = Arc::clone(journal);
    push_prepared(&references, &source.image, options, |pusher| {
        pusher.with_journal(journal)
    })
}

/// Cuts a chunked push off at its tenth chunk, for good.
fn cut_off(registry: &TestRegistry, source: &Source, journal: &Arc<Memory>) {
    registry.fail(
        Fault::new(Action::error(
            400,
            "NAME_INVALID",
            "invalid repository name",
        ))
        .on(Route::UploadChunk)
        .from_request(10)
        .at(Phase::BeforeState)
        .once(),
    );
    let pushed = run(registry, source, journal, UploadMode::Chunked);
    assert!(pushed.result.is_err());
    assert_eq!(journal.urls().len(), 1);
    assert_eq!(registry.journal().count(Route::UploadCancel), 0);
    registry.clear_journal();
}

#[test]
fn what_the_first_run_sent_is_not_sent_again() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let (source, journal) = (large(), Arc::default());
    cut_off(&registry, &source, &journal);
    // Nobody has to ask for chunks again.
    let pushed = run(&registry, &source, &journal, UploadMode::Auto);
    assert_published(&registry, &source);
    assert_eq!(pushed.retries, [""; 0]);
    let sent = registry.journal().blob_bytes();
    assert!(sent < source.sample.blob_bytes() - 30 * MIB, "{sent}");
    assert_eq!(
        registry
            .journal()
            .uploads_of(source.sample.largest())
            .commits,
        1
    );
    assert_eq!(journal.urls(), [""; 0], "there is nothing to go on with");
}

/// A registry in trouble says nothing about its sessions.
#[test]
fn a_hiccup_does_not_end_what_the_first_run_began() {
    for action in [Action::answer(503, &[], ""), Action::Reset] {
        let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
        let (source, journal) = (large(), Arc::default());
        cut_off(&registry, &source, &journal);
        let hiccup = Fault::new(action.clone()).on(Route::UploadStatus);
        registry.fail(hiccup.at(Phase::BeforeState).times(2));
        let pushed = run(&registry, &source, &journal, UploadMode::Auto);
        assert_published(&registry, &source);
        let sent = registry.journal().blob_bytes();
        let all = source.sample.blob_bytes();
        assert!(sent < all - 30 * MIB, "{action:?}: {sent}");
        assert_eq!(pushed.retries.len(), 2, "{:?}", pushed.retries);
    }
}

/// After a few tries the blob is sent anew. What is kept is the way to the session until another takes its place.
#[test]
fn a_session_that_cannot_be_asked_is_kept_for_another_run() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let (source, journal) = (large(), Arc::default());
    cut_off(&registry, &source, &journal);
    let kept = journal.urls();
    let trouble = Fault::new(Action::answer(503, &[], "")).on(Route::UploadStatus);
    registry.fail(trouble.times(4));
    let refused = Action::error(400, "NAME_INVALID", "invalid repository name");
    registry.fail(Fault::new(refused).on(Route::UploadStart).once());
    let pushed = run(&registry, &source, &journal, UploadMode::Chunked);
    assert!(pushed.result.is_err());
    assert_eq!(registry.journal().count(Route::UploadStatus), 4);
    assert_eq!(journal.urls(), kept);
    registry.clear_journal();
    run(&registry, &source, &journal, UploadMode::Auto).report();
    assert_published(&registry, &source);
    let sent = registry.journal().blob_bytes();
    assert!(sent < source.sample.blob_bytes() - 30 * MIB, "{sent}");
}

#[test]
fn a_session_that_is_gone_is_replaced() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let (source, journal) = (large(), Arc::default());
    cut_off(&registry, &source, &journal);
    let gone = format!("{}/v2/owner/app/blobs/upload/14.gone", registry.url());
    journal.set(&gone);
    let pushed = run(&registry, &source, &journal, UploadMode::Auto);
    assert_published(&registry, &source);
    assert_eq!(pushed.retries, [""; 0]);
}

/// An address that somebody has put there is not asked, and is given no token.
#[test]
fn an_address_elsewhere_is_not_used() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let elsewhere = TestRegistry::start(Options::default());
    let (source, journal) = (large(), Arc::default());
    cut_off(&registry, &source, &journal);
    for url in [
        elsewhere.url() + "/v2/owner/app/blobs/upload/1",
        "no address".to_owned(),
    ] {
        journal.set(&url);
        run(&registry, &source, &journal, UploadMode::Auto).report();
        assert_published(&registry, &source);
        assert_eq!(elsewhere.journal().exchanges.len(), 0);
    }
}

/// A session with other bytes in it is found out by the digest, and the blob is sent anew.
#[test]
fn a_session_with_other_bytes_in_it() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let journal = Arc::<Memory>::default();
    let other = Source::new(&SampleImage::of_layers(&[66 * MIB]));
    cut_off(&registry, &other, &journal);
    let [url] = journal.urls().try_into().expect("one");
    let source = large();
    let key = source.sample.largest().parse().expect("a digest");
    let address = format!("{}/v2/owner/app/", registry.url());
    journal.note(&UploadKey::new(&address, &key), &url);
    run(&registry, &source, &journal, UploadMode::Auto).report();
    assert_published(&registry, &source);
}

/// An address with a query is not kept: a registry that puts one there keeps its secrets in it.
#[test]
fn an_address_with_a_query_is_not_kept() {
    let registry = TestRegistry::start(Options::default());
    let (source, journal) = (large(), Arc::<Memory>::default());
    registry.fail(
        Fault::new(Action::error(403, "DENIED", "no"))
            .on(Route::UploadCommit)
            .at(Phase::BeforeState),
    );
    let pushed = run(&registry, &source, &journal, UploadMode::Chunked);
    assert!(pushed.result.is_err());
    assert_eq!(journal.urls(), [""; 0]);
}

/// A stream leaves nothing that could be continued.
#[test]
fn a_stream_is_not_kept_track_of() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let (source, journal) = (large(), Arc::<Memory>::default());
    registry.fail(
        Fault::new(Action::error(403, "DENIED", "no"))
            .on(Route::UploadCommit)
            .at(Phase::BeforeState),
    );
    let pushed = run(&registry, &source, &journal, UploadMode::Stream);
    assert!(pushed.result.is_err());
    assert_eq!(journal.urls(), [""; 0]);
}
