//! One engine for many pushes, each into a registry of its own: what an engine costs to set up would be most of
//! what a push costs.

use std::sync::Arc;
use std::time::Duration;

use oci_push::{
    Credentials, FixedKeychain, Profile, PushError, PushReport, Pusher, Silent, UploadMode,
};
use test_registry::{Exchange, Options, Personality, SampleImage, TestRegistry};

use super::Strike;
use crate::support::{Impatient, PASSWORD, Source, USERNAME, assert_published, options};

/// Requests of a push with one fault, beyond which it would be a nuisance to others; half as many more for a
/// second fault.
const MOST_REQUESTS: usize = 40;

/// What is pushed, how, and to whom.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) personality: Personality,
    pub(super) mode: UploadMode,
    pub(super) layers: &'static [u64],
    pub(super) chunk: u64,
}

/// An engine, and what it pushes.
pub(super) struct Engine {
    pub(super) runtime: tokio::runtime::Runtime,
    pusher: Pusher,
    /// One that soon asks about a commit that is not answered. That would be chance in the others.
    impatient: Pusher,
    personality: Personality,
    source: Source,
}

/// What came of many pushes.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) runs: usize,
    published: usize,
    /// Those that failed with no tag set.
    failed: usize,
    /// Those that failed with the tag set, since the registry denied that it was.
    deceived: usize,
    /// How many times the image's bytes were sent at most.
    bytes: f64,
    requests: usize,
}

impl Figures {
    #[expect(
        clippy::print_stdout,
        reason = "shown where it is asked for, with --nocapture"
    )]
    pub(super) fn print(&self, setting: &Setting) {
        println!(
            "{:?} {:?}: {} pushes, {} published, {} failed without a tag, {} failed with the tag that the registry \
             denied; at most {:.2} times the bytes and {} requests",
            setting.personality,
            setting.mode,
            self.runs,
            self.published,
            self.failed,
            self.deceived,
            self.bytes,
            self.requests
        );
    }
}

fn pusher(setting: &Setting, patience: Duration) -> Pusher {
    let mut options = options();
    options.upload_mode = setting.mode;
    options.chunk_size = Some(setting.chunk);
    options.jobs = Some(1);
    options.commit_patience = patience;
    // As it would be known by its host's name: without it, a chunk that broke off twice would be sent in parts too
    // small for this registry.
    if setting.personality == Personality::Ecr {
        options.profile = Some(Profile::Ecr);
    }
    let keychain = Arc::new(FixedKeychain(Some(Credentials {
        username: USERNAME.to_owned(),
        password: PASSWORD.into(),
    })));
    let clock = Arc::new(Impatient::leaping());
    Pusher::with_clock(options, keychain, Arc::new(Silent), clock).expect("a client")
}

impl Engine {
    pub(super) fn new(setting: &Setting) -> Self {
        Self {
            runtime: tokio::runtime::Runtime::new().expect("a runtime"),
            pusher: pusher(setting, Duration::from_mins(1)),
            impatient: pusher(setting, Duration::from_millis(200)),
            personality: setting.personality,
            source: Source::new(&SampleImage::of_layers(setting.layers)),
        }
    }

    fn registry(&self) -> TestRegistry {
        let mut options = Options::ghcr(USERNAME, PASSWORD);
        options.personality = self.personality;
        TestRegistry::start(options)
    }

    async fn push(
        &self,
        pusher: &Pusher,
        registry: &TestRegistry,
    ) -> Result<PushReport, Box<PushError>> {
        let reference = format!("{}/owner/app:1", registry.host());
        let reference = reference.parse().expect("a reference");
        pusher.push(&self.source.image, &[reference]).await
    }

    /// The requests of a push at which nothing goes wrong.
    pub(super) fn clean(&self) -> Vec<Exchange> {
        let registry = self.registry();
        if let Err(error) = self.runtime.block_on(self.push(&self.pusher, &registry)) {
            panic!("{error:?}");
        }
        assert_published(&registry, &self.source);
        registry.journal().exchanges
    }

    /// One push with these strikes.
    pub(super) fn strike(&self, strikes: &[Strike], figures: &mut Figures) {
        self.runtime.block_on(self.struck(strikes)).add(figures);
    }

    /// The same beside others.
    pub(super) async fn struck(&self, strikes: &[Strike]) -> Struck {
        let registry = self.registry();
        for strike in strikes {
            let target = strike.target;
            let (route, number, body) = (target.route, target.number, target.body);
            registry.fail(strike.kind.strike(route, number, strike.moment, body));
        }
        let stalls = strikes.iter().any(Strike::is_stall);
        let pusher = if stalls {
            &self.impatient
        } else {
            &self.pusher
        };
        let result = self.push(pusher, &registry).await;
        let names: Vec<String> = strikes.iter().map(Strike::name).collect();
        let name = format!("{:?}: {}", self.personality, names.join(", "));
        self.judge(&name, strikes, result, &registry)
    }

    fn judge(
        &self,
        name: &str,
        strikes: &[Strike],
        result: Result<PushReport, Box<PushError>>,
        registry: &TestRegistry,
    ) -> Struck {
        let tag = registry.manifest("owner/app", "1");
        if let Err(error) = &result {
            let may_fail = strikes.iter().any(|strike| !strike.kind.passes);
            assert!(may_fail, "{name}: {error:?}");
        }
        let outcome = match (result, tag) {
            (Ok(_), _) => {
                assert_published(registry, &self.source);
                Outcome::Published
            }
            (Err(_), None) => Outcome::Failed,
            (Err(error), Some(tag)) => {
                let is_hidden = strikes.iter().any(Strike::may_hide_the_tag);
                assert!(is_hidden, "{name}: the tag is set, but {error:?}");
                assert_eq!(tag.digest, self.source.sample.digest, "{name}");
                Outcome::Deceived
            }
        };
        let journal = registry.journal();
        let (sent, size) = (journal.blob_bytes(), self.source.sample.blob_bytes());
        let faults = strikes.len();
        assert!(sent <= 3 * size, "{name}: {sent} bytes for {size}");
        let requests = journal.exchanges.len();
        let most = MOST_REQUESTS * (1 + faults) / 2;
        assert!(requests <= most, "{name}: {requests} requests");
        for (digest, _) in &self.source.sample.blobs {
            let stored = journal.uploads_of(digest).stored;
            assert!(stored <= 1 + faults, "{name}: stored {stored} times");
        }
        #[expect(clippy::cast_precision_loss, reason = "a ratio of megabytes")]
        let bytes = sent as f64 / size as f64;
        Struck {
            outcome,
            bytes,
            requests,
        }
    }
}

enum Outcome {
    Published,
    Failed,
    Deceived,
}

/// What came of one push.
pub(super) struct Struck {
    outcome: Outcome,
    bytes: f64,
    requests: usize,
}

impl Struck {
    pub(super) fn add(&self, figures: &mut Figures) {
        figures.runs += 1;
        *match self.outcome {
            Outcome::Published => &mut figures.published,
            Outcome::Failed => &mut figures.failed,
            Outcome::Deceived => &mut figures.deceived,
        } += 1;
        figures.bytes = figures.bytes.max(self.bytes);
        figures.requests = figures.requests.max(self.requests);
    }
}
