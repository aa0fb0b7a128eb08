//! Images whose layers are compressed on the way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use oci_archive::{
    Algorithm, Archive, CompressionSettings, Compressor, Content, Digest, Draft, OpenOptions,
    Scratch,
};
use oci_push::{
    Event, Failure, FixedKeychain, LayerCache, Observer, PlanError, PlannedStatus, PushError,
    PushOptions, PushPlan, PushReport, Pusher, Reference, Silent, Workshop,
};
use test_registry::{Action, Fault, Options, Route, TestRegistry};

use crate::support::{Impatient, options};

/// Bytes that compress to about a third, different for each seed.
pub(crate) fn content(seed: u8, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        bytes.extend_from_slice(&state.to_le_bytes()[5..]);
        bytes.extend_from_slice(b"words, words");
    }
    bytes.truncate(length);
    bytes
}

/// What `docker save` would write of these layers.
pub(crate) fn docker_archive(layers: &[Vec<u8>]) -> Vec<u8> {
    docker_archive_for("amd64", layers)
}

fn docker_archive_for(architecture: &str, layers: &[Vec<u8>]) -> Vec<u8> {
    let diff_ids: Vec<String> = layers
        .iter()
        .map(|layer| Digest::of(Algorithm::Sha256, layer).to_string())
        .collect();
    let config = serde_json::json!({
        "os": "linux",
        "architecture": architecture,
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    })
    .to_string();
    let paths: Vec<String> = (0..layers.len())
        .map(|at| format!("{at}/layer.tar"))
        .collect();
    let manifest = serde_json::json!([{ "Config": "config.json", "Layers": paths }]).to_string();
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).expect("memory");
    };
    for (path, layer) in paths.iter().zip(layers) {
        add(path, layer);
    }
    add("config.json", config.as_bytes());
    add("manifest.json", manifest.as_bytes());
    tar.into_inner().expect("memory")
}

pub(crate) fn draft(layers: &[Vec<u8>]) -> Draft {
    let options = OpenOptions::default();
    let archive = Archive::from_bytes(Bytes::from(docker_archive(layers)), &options);
    match archive.and_then(|archive| archive.read(&options)) {
        Ok(Content::Draft(draft)) => *draft,
        other => panic!("it should be a draft: {other:?}"),
    }
}

/// A cache that can be filled with anything.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) Mutex<BTreeMap<(Digest, String), (Digest, u64)>>);

impl LayerCache for Memory {
    fn look_up(&self, diff_id: &Digest, settings: &str) -> Option<(Digest, u64)> {
        let known = self.0.lock().expect("no panic");
        known.get(&(diff_id.clone(), settings.to_owned())).cloned()
    }

    fn note(&self, diff_id: &Digest, settings: &str, digest: &Digest, size: u64) {
        let key = (diff_id.clone(), settings.to_owned());
        let mut known = self.0.lock().expect("no panic");
        known.insert(key, (digest.clone(), size));
    }
}

/// Counts compressions.
#[derive(Default)]
pub(crate) struct Counter {
    pub(crate) compressions: AtomicUsize,
    order: Mutex<Vec<&'static str>>,
}

impl Observer for Counter {
    fn observe(&self, event: &Event<'_>) {
        let what = match event {
            Event::LayerStarted { .. } => {
                self.compressions.fetch_add(1, Ordering::Relaxed);
                "compressing"
            }
            Event::LayerFinished { .. } => "compressed",
            Event::BlobStarted { .. } => "uploading",
            Event::BlobFinished { .. } => "uploaded",
            _ => return,
        };
        self.order.lock().expect("no panic").push(what);
    }
}

pub(crate) struct Shop {
    pub(crate) workshop: Workshop,
    pub(crate) cache: Arc<Memory>,
}

impl Shop {
    /// What the cache knows of the only layer.
    pub(crate) fn only_entry(&self) -> (Digest, u64) {
        let known = self.cache.0.lock().expect("no panic");
        assert_eq!(known.len(), 1);
        known.values().next().cloned().expect("an entry")
    }
}

pub(crate) fn shop() -> Shop {
    let scratch = Scratch::new(std::env::temp_dir());
    let compressor = Compressor::new(CompressionSettings::default(), 2, scratch);
    let cache = Arc::new(Memory::default());
    Shop {
        workshop: Workshop::new(Arc::new(compressor), Arc::clone(&cache) as _),
        cache,
    }
}

pub(crate) struct Outcome {
    pub(crate) result: Result<PushReport, Box<PushError>>,
    pub(crate) counter: Arc<Counter>,
}

pub(crate) fn push(
    draft: &Draft,
    shop: &Shop,
    references: &[String],
    options: PushOptions,
) -> Outcome {
    let references: Vec<Reference> = references
        .iter()
        .map(|reference| reference.parse().expect("a reference"))
        .collect();
    let counter = Arc::new(Counter::default());
    let keychain = Arc::new(FixedKeychain(None));
    let clock = Arc::new(Impatient::default());
    let observer = Arc::clone(&counter) as _;
    let pusher = Pusher::with_clock(options, keychain, observer, clock).expect("a client");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let result = runtime.block_on(pusher.push_draft(draft, &shop.workshop, &references));
    runtime.shutdown_background();
    Outcome { result, counter }
}

pub(crate) fn reference(registry: &TestRegistry, name: &str) -> String {
    format!("{}/owner/{name}", registry.host())
}

#[test]
fn layers_are_compressed_once_for_all_repositories() {
    let registry = TestRegistry::start(Options::default());
    let layers = [
        content(1, 3_000_000),
        content(2, 1000),
        content(1, 3_000_000),
    ];
    let draft = draft(&layers);
    assert_eq!(draft.layers().len(), 2, "one of them twice");
    let references = [
        reference(&registry, "app:1"),
        reference(&registry, "app:2"),
        reference(&registry, "other:1"),
    ];
    let outcome = push(&draft, &shop(), &references, options());
    let report = outcome.result.expect("pushed");
    assert_eq!(outcome.counter.compressions.load(Ordering::Relaxed), 2);
    assert_eq!(
        (report.blobs.uploaded, report.blobs.mounted),
        (3, 3),
        "two layers and a configuration, taken over by the second repository"
    );
    let one = registry.manifest("owner/app", "2").expect("published");
    let other = registry.manifest("owner/other", "1").expect("published");
    assert_eq!(one.bytes, other.bytes);
    let pushed = report.image.expect("an image");
    assert_eq!(one.digest, pushed.digest.to_string());
}

/// The first layer that is ready goes up while the others are compressed.
#[test]
fn uploads_do_not_wait_for_the_last_layer() {
    let registry = TestRegistry::start(Options::default());
    let layers: Vec<Vec<u8>> = (0..8).map(|seed| content(seed, 6_000_000)).collect();
    let reference = reference(&registry, "app:1");
    let outcome = push(&draft(&layers), &shop(), &[reference], options());
    outcome.result.expect("pushed");
    let order = outcome.counter.order.lock().expect("no panic");
    let last = order.iter().rposition(|what| *what == "compressed");
    let layers_up = order[..last.expect("compressed")]
        .iter()
        .filter(|what| **what == "uploaded")
        .count();
    // The configuration, and more.
    assert!(layers_up > 1, "{order:?}");
}

#[test]
fn what_the_cache_says_is_looked_up() {
    let registry = TestRegistry::start(Options::default());
    let draft = draft(&[content(1, 100_000), content(2, 100_000)]);
    let shop = shop();
    push(&draft, &shop, &[reference(&registry, "app:1")], options())
        .result
        .expect("pushed");
    let again = push(&draft, &shop, &[reference(&registry, "app:2")], options());
    let report = again.result.expect("pushed");
    assert_eq!(again.counter.compressions.load(Ordering::Relaxed), 0);
    assert_eq!((report.blobs.uploaded, report.blobs.existing), (0, 3));
    assert_eq!(report.blobs.total, 3);

    // It names blobs that no registry has, or of another size.
    for entry in shop.cache.0.lock().expect("no panic").values_mut() {
        entry.1 += 1;
    }
    let wrong = push(&draft, &shop, &[reference(&registry, "app:3")], options());
    wrong.result.expect("pushed all the same");
    assert_eq!(wrong.counter.compressions.load(Ordering::Relaxed), 2);
    let [one, three] = ["1", "3"].map(|tag| registry.manifest("owner/app", tag));
    assert_eq!(one.map(|one| one.digest), three.map(|three| three.digest));
}

#[test]
fn a_tag_that_names_the_image_already() {
    let registry = TestRegistry::start(Options::default());
    let draft = draft(&[content(1, 100_000)]);
    push(&draft, &shop(), &[reference(&registry, "app:1")], options())
        .result
        .expect("pushed");
    registry.clear_journal();
    // Nothing is remembered; the manifest behind the tag is enough, also for another tag.
    let references = [reference(&registry, "app:1"), reference(&registry, "app:2")];
    let again = push(&draft, &shop(), &references, options());
    let report = again.result.expect("pushed");
    assert_eq!(again.counter.compressions.load(Ordering::Relaxed), 0);
    let statuses: Vec<&str> = report
        .references
        .iter()
        .map(|entry| entry.status.as_str())
        .collect();
    assert_eq!(statuses, ["unchanged", "pushed"]);
    assert_eq!(registry.journal().count(Route::ManifestPut), 1);
    assert_eq!(registry.journal().count(Route::UploadStart), 0);
}

/// A refusal is met before much is compressed, and ends the compression.
#[test]
fn a_refusal_ends_the_compression() {
    let registry = TestRegistry::start(Options::default());
    let denied = Action::error(403, "DENIED", "permission_denied: write_package");
    registry.fail(Fault::new(denied).on(Route::UploadStart));
    let layers: Vec<Vec<u8>> = (0..12).map(|seed| content(seed, 8_000_000)).collect();
    let reference = reference(&registry, "app:1");
    let outcome = push(&draft(&layers), &shop(), &[reference], options());
    let failure = outcome.result.expect_err("refused").failure;
    assert!(matches!(failure, Failure::Rejected(_)), "{failure:?}");
    let begun = outcome.counter.compressions.load(Ordering::Relaxed);
    assert!(begun < layers.len(), "{begun} layers were begun");
}

#[test]
fn a_layer_that_is_not_the_configurations() {
    let registry = TestRegistry::start(Options::default());
    let good = docker_archive(&[content(1, 5000)]);
    let place = good
        .windows(5)
        .position(|bytes| bytes == b"words")
        .expect("it is there");
    let mut damaged = good;
    damaged[place] ^= 1;
    let options_ = OpenOptions::default();
    let archive = Archive::from_bytes(Bytes::from(damaged), &options_).expect("sound headers");
    let Ok(Content::Draft(draft)) = archive.read(&options_) else {
        panic!("it should be a draft");
    };
    let reference = reference(&registry, "app:1");
    let outcome = push(&draft, &shop(), &[reference], options());
    let failure = outcome.result.expect_err("damaged").failure;
    assert!(matches!(failure, Failure::Layer { .. }), "{failure:?}");
    assert!(registry.tags("owner/app").is_empty());
}

/// What several images become is not known before they are compressed; then it is, and the tag names it.
#[test]
fn an_index_that_the_tag_names_already_is_not_clobbered() {
    let registry = TestRegistry::start(Options::default());
    let merged = |layers: [Vec<u8>; 2]| {
        let [one, other] = layers;
        let mut contents = Vec::new();
        for (architecture, layer) in [("amd64", one), ("arm64", other)] {
            let options = OpenOptions::default();
            let bytes = docker_archive_for(architecture, &[layer]);
            let archive = Archive::from_bytes(Bytes::from(bytes), &options).expect("a tar file");
            contents.push(archive.read(&options).expect("sound"));
        }
        match oci_archive::merge(contents) {
            Ok(Content::Draft(draft)) => *draft,
            other => panic!("it should be a draft: {other:?}"),
        }
    };
    let draft = merged([content(1, 5000), content(2, 5000)]);
    let reference = [reference(&registry, "app:1")];
    let mut options = options();
    options.no_clobber = true;
    let first = push(&draft, &shop(), &reference, options.clone());
    first.result.expect("pushed");
    let again = push(&draft, &shop(), &reference, options.clone());
    let report = again.result.expect("it is the same");
    assert_eq!(report.references[0].status.as_str(), "unchanged");
    let other = merged([content(1, 5000), content(3, 5000)]);
    let planned = plan(&other, &reference, options.clone()).expect("nothing is known yet");
    assert_eq!(planned.references[0].status, PlannedStatus::Undecided);
    let refused = push(&other, &shop(), &reference, options);
    let failure = refused.result.expect_err("another image").failure;
    assert!(matches!(failure, Failure::Exists { .. }), "{failure:?}");
}

fn plan(
    draft: &Draft,
    references: &[String],
    options: PushOptions,
) -> Result<PushPlan, Box<PlanError>> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let keychain = Arc::new(FixedKeychain(None));
    let pusher = Pusher::new(options, keychain, Arc::new(Silent)).expect("a client");
    let references: Vec<Reference> = references
        .iter()
        .map(|reference| reference.parse().expect("a reference"))
        .collect();
    runtime.block_on(pusher.plan_draft(draft, &shop().workshop, &references))
}

/// That a tag names another image than a draft of one is known before anything is compressed.
#[test]
fn a_plan_without_clobber() {
    let registry = TestRegistry::start(Options::default());
    let (one, other) = (draft(&[content(1, 5000)]), draft(&[content(2, 5000)]));
    let reference = [reference(&registry, "app:1")];
    let mut options = options();
    options.no_clobber = true;
    let planned = plan(&one, &reference, options.clone()).expect("there is no such tag");
    assert_eq!(planned.references[0].status, PlannedStatus::Planned);
    let pushed = push(&one, &shop(), &reference, options.clone());
    pushed.result.expect("pushed");
    let planned = plan(&one, &reference, options.clone()).expect("it names that");
    assert_eq!(planned.references[0].status, PlannedStatus::Unchanged);
    let refused = plan(&other, &reference, options).expect_err("it names something else");
    assert!(matches!(refused.failure, Failure::Exists { .. }));
    assert_eq!(refused.plan.references[0].status, PlannedStatus::Refused);
}
