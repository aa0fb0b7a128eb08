//! An image, a registry, an engine whose waits take no time, and what it said.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use oci_archive::{Image, OpenOptions};
use oci_push::{
    Clock, Credentials, Event, FixedKeychain, Observer, PushError, PushOptions, PushReport, Pusher,
    Reference,
};
use tempfile::TempDir;
use test_registry::{Exchange, Journal, Sample, SampleImage, TestRegistry};

pub(crate) const MIB: u64 = 1024 * 1024;
pub(crate) const USERNAME: &str = "octocat";
pub(crate) const PASSWORD: &str = "correct horse";

/// An image on disk.
pub(crate) struct Source {
    pub(crate) image: Image,
    pub(crate) sample: Sample,
    _directory: TempDir,
}

impl Source {
    pub(crate) fn new(image: &SampleImage) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("image.tar");
        let sample = image.write(&path).expect("the image can be written");
        Self {
            image: open(&path),
            sample,
            _directory: directory,
        }
    }

    /// One layer of ten chunks, more or less.
    pub(crate) fn ten_mib() -> Self {
        Self::new(&SampleImage::of_layers(&[10 * MIB]))
    }
}

/// Opens an image that needs no finishing.
pub(crate) fn open(path: &Path) -> Image {
    let content = oci_archive::open(path, &OpenOptions::default()).expect("the image is sound");
    content.into_image().expect("its layers are finished")
}

/// Waits are noted and take no time.
#[derive(Debug, Default)]
pub(crate) struct Impatient {
    /// Whether time leaps to the end of each wait, so that budgets and gates see it pass. Else it goes on as on the
    /// sockets, which are real.
    leaps: bool,
    /// How far it is ahead of the machine's.
    ahead: Mutex<Duration>,
    pub(crate) waits: Mutex<Vec<Duration>>,
}

impl Impatient {
    pub(crate) fn leaping() -> Self {
        Self {
            leaps: true,
            ..Self::default()
        }
    }
}

impl Clock for Impatient {
    fn now(&self) -> Instant {
        Instant::now() + *self.ahead.lock().expect("no panic")
    }

    fn sleep(&self, duration: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        self.waits.lock().expect("no panic").push(duration);
        if self.leaps {
            *self.ahead.lock().expect("no panic") += duration;
        }
        Box::pin(tokio::task::yield_now())
    }

    fn fraction(&self) -> f64 {
        0.5
    }
}

/// Notes retries, and interruptions.
#[derive(Default)]
pub(crate) struct Listener {
    pub(crate) retries: Mutex<Vec<String>>,
    interruptions: Mutex<Vec<u64>>,
}

impl Observer for Listener {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Retrying {
            step,
            cause,
            attempt,
            ..
        } = event
        {
            let line = format!("{step} {attempt}: {cause}");
            self.retries.lock().expect("no panic").push(line);
        }
        if let Event::BlobInterrupted { offset, .. } = event {
            let mut interruptions = self.interruptions.lock().expect("no panic");
            interruptions.push(*offset);
        }
    }
}

/// What came of a push.
pub(crate) struct Pushed {
    pub(crate) result: Result<PushReport, Box<PushError>>,
    pub(crate) retries: Vec<String>,
    /// What was not lost of a blob whose upload broke off, each time.
    pub(crate) interruptions: Vec<u64>,
    pub(crate) waits: Vec<Duration>,
}

impl Pushed {
    #[track_caller]
    pub(crate) fn report(&self) -> &PushReport {
        match &self.result {
            Ok(report) => report,
            Err(error) => panic!("{error:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn failure(&self) -> &oci_push::Failure {
        match &self.result {
            Ok(_) => panic!("the push succeeded"),
            Err(error) => &error.failure,
        }
    }
}

pub(crate) fn options() -> PushOptions {
    let mut options = PushOptions::default();
    options.plain_http = true;
    options
}

/// `owner/app:1`.
fn reference(registry: &TestRegistry) -> Reference {
    let reference = format!("{}/owner/app:1", registry.host());
    reference.parse().expect("a reference")
}

/// Pushes to `owner/app:1`.
pub(crate) fn push(registry: &TestRegistry, source: &Source, options: PushOptions) -> Pushed {
    push_to(&[reference(registry)], source, options)
}

/// Pushes to `owner/app:1` with a clock that leaps.
pub(crate) fn push_leaping(
    registry: &TestRegistry,
    source: &Source,
    options: PushOptions,
) -> Pushed {
    push_leaping_to(&[reference(registry)], source, options)
}

/// Pushes to any references with a clock that leaps.
pub(crate) fn push_leaping_to(
    references: &[Reference],
    source: &Source,
    options: PushOptions,
) -> Pushed {
    let clock = Impatient::leaping();
    push_by(clock, references, &source.image, options, |it| it)
}

/// Pushes to any references.
pub(crate) fn push_to(references: &[Reference], source: &Source, options: PushOptions) -> Pushed {
    push_image(references, &source.image, options)
}

/// Pushes any image.
pub(crate) fn push_image(references: &[Reference], image: &Image, options: PushOptions) -> Pushed {
    push_prepared(references, image, options, |pusher| pusher)
}

/// Pushes with something else that is prepared.
pub(crate) fn push_prepared(
    references: &[Reference],
    image: &Image,
    options: PushOptions,
    prepare: impl FnOnce(Pusher) -> Pusher,
) -> Pushed {
    push_by(Impatient::default(), references, image, options, prepare)
}

fn push_by(
    clock: Impatient,
    references: &[Reference],
    image: &Image,
    options: PushOptions,
    prepare: impl FnOnce(Pusher) -> Pusher,
) -> Pushed {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = Arc::new(Listener::default());
    let clock = Arc::new(clock);
    let keychain = Arc::new(FixedKeychain(Some(Credentials {
        username: USERNAME.to_owned(),
        password: PASSWORD.into(),
    })));
    let pusher =
        Pusher::with_clock(options, keychain, listener.clone(), clock.clone()).expect("a client");
    let result = runtime.block_on(prepare(pusher).push(image, references));
    runtime.shutdown_background();
    Pushed {
        result,
        retries: listener.retries.lock().expect("no panic").clone(),
        interruptions: listener.interruptions.lock().expect("no panic").clone(),
        waits: clock.waits.lock().expect("no panic").clone(),
    }
}

/// Small requests that are sent at a time where there is no limit.
pub(crate) const WIDTH: usize = 16;

/// How many requests came after the first refusal for a limit, and made more than four that were open.
///
/// What had been sent when that refusal arrived may be read at any time later, on a busy machine: once for each of
/// [`WIDTH`] at most, and of all the others if nobody listens to the limit.
pub(crate) fn crowded_after_a_limit(journal: &Journal) -> usize {
    let exchanges = &journal.exchanges;
    let first = exchanges
        .iter()
        .filter(|one| one.status == Some(429))
        .filter_map(|one| one.ended)
        .min()
        .expect("there was one");
    let is_crowded = |one: &&Exchange| {
        let is_open =
            |other: &&Exchange| other.at <= one.at && other.ended.is_none_or(|end| end > one.at);
        one.at > first && exchanges.iter().filter(is_open).count() > 4
    };
    exchanges.iter().filter(is_crowded).count()
}

/// The registry holds exactly the image.
#[track_caller]
pub(crate) fn assert_published(registry: &TestRegistry, source: &Source) {
    let tag = registry.manifest("owner/app", "1").expect("the tag is set");
    assert_eq!(tag.digest, source.sample.digest);
    for (digest, size) in &source.sample.blobs {
        let stored = registry
            .blob("owner/app", digest)
            .expect("the blob is stored");
        assert_eq!(stored.len() as u64, *size);
    }
}

/// The registry holds nothing that could be pulled.
#[track_caller]
pub(crate) fn assert_unpublished(registry: &TestRegistry) {
    assert_eq!(registry.tags("owner/app"), [""; 0]);
}

/// A push can be spawned on any runtime: this compiles only if its future is `Send`.
#[test]
fn a_push_can_be_spawned() {
    fn is_send<T: Send>(_: &T) {}
    let source = Source::new(&SampleImage::of_layers(&[1]));
    let keychain = Arc::new(FixedKeychain(None));
    let pusher = Pusher::new(options(), keychain, Arc::new(oci_push::Silent)).expect("a client");
    is_send(&pusher.push(&source.image, &[]));
}
