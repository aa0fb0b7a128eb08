//! The cases that a push has to survive, as one table: what the registry does, and what comes of it. The table
//! drives the tests and writes `docs/reliability.md`.
//!
//! Waits take no time here, so that minutes of patience are tested in milliseconds; what a registry does to a
//! connection happens on real sockets.

mod answers;
mod commits;
mod document;
mod limits;
mod limits_otherwise;
mod links;
mod manifests;
mod sessions;
mod tokens;
mod variants;
mod wire;

use std::time::Duration;

use test_registry::{
    Authentication, Fault, Journal, Options, Personality, Sample, SampleImage, TestRegistry,
};

use crate::support::{
    MIB, PASSWORD, Source, USERNAME, assert_published, assert_unpublished, options, push_leaping,
};

/// A case, in one or several forms.
struct Case {
    /// Its number in the catalogue.
    id: &'static str,
    /// Its name.
    name: &'static str,
    forms: Vec<Form>,
}

/// The faults of a push of an image.
type Script = Box<dyn Fn(&Sample) -> Vec<Fault>>;

/// One form of a case.
struct Form {
    /// What the registry does.
    what: &'static str,
    /// The layers' sizes.
    layers: Vec<u64>,
    registry: Options,
    /// The script, which may depend on the image.
    faults: Script,
    prepare: fn(&mut oci_push::PushOptions),
    result: Outcome,
    /// What else has to be true.
    check: fn(&Seen<'_>),
}

/// What has to come of a push.
#[derive(Clone, Copy)]
enum Outcome {
    /// The image is there, and at most so many times its bytes were sent.
    Published(f64),
    /// No tag is set, and these are the words of the failure or one of its causes.
    Fails(&'static str),
}

/// What a check may look at.
struct Seen<'a> {
    sample: &'a Sample,
    journal: &'a Journal,
    waits: &'a [Duration],
    name: &'a str,
}

impl Form {
    /// A registry of the specification, one layer of ten megabytes and a small one; nothing goes wrong.
    fn new(what: &'static str) -> Self {
        Self {
            what,
            layers: vec![10 * MIB, 2000],
            registry: Options::default(),
            faults: Box::new(|_| Vec::new()),
            prepare: |_| (),
            result: Outcome::Published(1.05),
            check: |_| (),
        }
    }

    fn layers(mut self, layers: &[u64]) -> Self {
        self.layers = layers.to_vec();
        self
    }

    /// A registry that wants tokens.
    fn guarded(mut self) -> Self {
        self.registry.authentication = Authentication::Bearer {
            username: USERNAME.to_owned(),
            password: PASSWORD.to_owned(),
            lifetime: None,
        };
        self
    }

    fn personality(mut self, personality: Personality) -> Self {
        self.registry.personality = personality;
        self
    }

    fn fault(self, fault: Fault) -> Self {
        self.faults(vec![fault])
    }

    fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = Box::new(move |_| faults.clone());
        self
    }

    /// One more fault.
    fn fault_also(mut self, fault: Fault) -> Self {
        let first = self.faults;
        self.faults = Box::new(move |sample| {
            let mut faults = first(sample);
            faults.push(fault.clone());
            faults
        });
        self
    }

    fn scripted(mut self, faults: impl Fn(&Sample) -> Vec<Fault> + 'static) -> Self {
        self.faults = Box::new(faults);
        self
    }

    fn with(mut self, prepare: fn(&mut oci_push::PushOptions)) -> Self {
        self.prepare = prepare;
        self
    }

    /// At most so many times the image's bytes are sent.
    fn at_most(mut self, times: f64) -> Self {
        self.result = Outcome::Published(times);
        self
    }

    fn fails(mut self, words: &'static str) -> Self {
        self.result = Outcome::Fails(words);
        self
    }

    fn check(mut self, check: fn(&Seen<'_>)) -> Self {
        self.check = check;
        self
    }

    fn run(&self, name: &str) {
        let source = Source::new(&SampleImage::of_layers(&self.layers));
        let registry = TestRegistry::start(self.registry.clone());
        for fault in (self.faults)(&source.sample) {
            registry.fail(fault);
        }
        let mut options = options();
        (self.prepare)(&mut options);
        let pushed = push_leaping(&registry, &source, options);
        let journal = registry.journal();
        match (self.result, &pushed.result) {
            (Outcome::Published(times), Ok(_)) => {
                assert_published(&registry, &source);
                let sent = journal.blob_bytes();
                #[expect(clippy::cast_precision_loss, reason = "a ratio of megabytes")]
                let ratio = sent as f64 / source.sample.blob_bytes() as f64;
                assert!(ratio <= times, "{name}: {ratio} times the bytes");
            }
            (Outcome::Fails(words), Err(error)) => {
                assert_unpublished(&registry);
                let mut text = String::new();
                let mut cause: Option<&dyn std::error::Error> = Some(&error.failure);
                while let Some(error) = cause {
                    text = format!("{text}{error}\n");
                    cause = error.source();
                }
                if let Some(rejection) = error.failure.rejection() {
                    text += &rejection.words();
                }
                assert!(text.contains(words), "{name}: {text}");
            }
            (_, result) => panic!("{name}: {result:?}\n{:?}", pushed.retries),
        }
        (self.check)(&Seen {
            sample: &source.sample,
            journal: &journal,
            waits: &pushed.waits,
            name,
        });
    }
}

impl Case {
    fn new(id: &'static str, name: &'static str, forms: Vec<Form>) -> Self {
        Self { id, name, forms }
    }

    fn run(&self) {
        for form in &self.forms {
            form.run(&format!("{} {}: {}", self.id, self.name, form.what));
        }
    }
}

/// Chunks of a megabyte.
fn in_chunks(options: &mut oci_push::PushOptions) {
    options.upload_mode = oci_push::UploadMode::Chunked;
    options.chunk_size = Some(MIB);
}

/// One test for each case.
macro_rules! cases {
    ($($test:ident => $case:expr;)*) => {
        $(#[test]
        fn $test() {
            $case.run();
        })*

        /// All of them, for the document.
        pub(super) fn all() -> Vec<super::Case> {
            vec![$($case),*]
        }
    };
}
use cases;
