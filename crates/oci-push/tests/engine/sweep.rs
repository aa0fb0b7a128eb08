//! Every request of a clean push, struck once, at every moment and by every kind of fault: the push succeeds and
//! the registry holds the image, or it fails and no tag is set; and neither bytes nor requests are sent over and
//! over. Then two faults in one push, of a seeded choice: all pairs would take hours.

mod engine;
mod stalls;

use std::collections::BTreeMap;

use oci_push::UploadMode;
use test_registry::{Action, Exchange, Kind, Moment, Personality, Route};

use crate::chance::Chance;
use crate::support::MIB;
use engine::{Engine, Figures, Setting};

/// Pairs of faults in each mode.
const PAIRS: usize = 150;

/// One request of a clean push: the kind of request, and which one of its kind.
#[derive(Debug, Clone, Copy)]
struct Target {
    route: Route,
    number: usize,
    body: u64,
}

/// One strike: where, by what, and when.
#[derive(Debug, Clone)]
struct Strike {
    target: Target,
    kind: Kind,
    moment: Moment,
}

impl Strike {
    fn name(&self) -> String {
        let Target { route, number, .. } = self.target;
        let moment = self.moment.name();
        format!("{} {moment} at {route:?} {number}", self.kind.name)
    }

    fn is_stall(&self) -> bool {
        self.kind.action == Action::Stall
    }

    /// A request that hangs is waited for by the machine's own clock, for as long as its deadline says, also
    /// where the rest of a small body has gone into the buffers. Only commits are asked about sooner.
    fn takes_long(&self) -> bool {
        let is_done = matches!(self.moment, Moment::Done | Moment::Answer);
        let is_stored = is_done && self.target.route == Route::UploadCommit;
        self.is_stall() && !is_stored
    }

    /// Whether the tag may be set though the push fails: the registry said otherwise.
    fn may_hide_the_tag(&self) -> bool {
        matches!(
            self.target.route,
            Route::ManifestPut | Route::ManifestHead | Route::ManifestGet
        )
    }
}

fn targets(exchanges: &[Exchange]) -> Vec<Target> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let targets = exchanges.iter().map(|exchange| {
        let number = numbers.entry(format!("{:?}", exchange.route)).or_default();
        *number += 1;
        Target {
            route: exchange.route,
            number: *number,
            body: exchange.body_bytes,
        }
    });
    targets.collect()
}

/// Every strike of a clean push.
fn strikes(setting: &Setting) -> Vec<Strike> {
    let mut strikes = Vec::new();
    for target in targets(&Engine::new(setting).clean()) {
        for kind in Kind::all() {
            for moment in kind.moments(target.route, target.body) {
                strikes.push(Strike {
                    target,
                    kind: kind.clone(),
                    moment,
                });
            }
        }
    }
    strikes
}

fn quick_strikes(setting: &Setting) -> Vec<Strike> {
    let mut strikes = strikes(setting);
    strikes.retain(|strike| !strike.takes_long());
    strikes
}

/// Which strikes of a setting are tried.
#[derive(Debug, Clone, Copy)]
enum Choice {
    All,
    /// Every third, from this one on.
    Third(usize),
    /// So many of a seeded choice.
    Seeded(usize),
}

fn sweep(setting: &Setting, choice: Choice) {
    let strikes = quick_strikes(setting);
    let strikes: Vec<Strike> = match choice {
        Choice::All => strikes,
        Choice::Third(first) => strikes.into_iter().skip(first).step_by(3).collect(),
        Choice::Seeded(count) => {
            let mut chance = Chance(7);
            (0..count).map(|_| chance.of(&strikes)).collect()
        }
    };
    assert!(!strikes.is_empty());
    let engine = Engine::new(setting);
    let mut figures = Figures::default();
    for strike in strikes {
        engine.strike(&[strike], &mut figures);
    }
    figures.print(setting);
}

fn pairs(setting: &Setting, count: usize) {
    let mut strikes = quick_strikes(setting);
    // A commit that hangs and is refused as well is a long wait.
    strikes.retain(|strike| !strike.is_stall());
    let engine = Engine::new(setting);
    let mut figures = Figures::default();
    for seed in 0..count as u64 {
        let mut chance = Chance(seed);
        let pair = [chance.of(&strikes), chance.of(&strikes)];
        engine.strike(&pair, &mut figures);
    }
    figures.print(setting);
    assert_eq!(figures.runs, count);
}

/// What is pushed to a registry of this kind. Small, where nothing but size would be gained: Amazon's chunks
/// have at least five megabytes, and Azure's limit is twenty.
fn setting(personality: Personality, mode: UploadMode) -> Setting {
    let (layers, chunk): (&[u64], u64) = match personality {
        Personality::Ecr => (&[11 * MIB, 2000], 5 * MIB),
        Personality::Acr => (&[21_000_000, 2000], 8 * MIB),
        _ => (&[600_000, 2000], 200_000),
    };
    Setting {
        personality,
        mode,
        layers,
        chunk,
    }
}

macro_rules! sweeps {
    ($($test:ident: $personality:ident, $mode:ident, $choice:expr;)*) => {
        $(#[test]
        fn $test() {
            sweep(&setting(Personality::$personality, UploadMode::$mode), $choice);
        })*
    };
}

sweeps! {
    ghcr_streamed_1: Ghcr, Stream, Choice::Third(0);
    ghcr_streamed_2: Ghcr, Stream, Choice::Third(1);
    ghcr_streamed_3: Ghcr, Stream, Choice::Third(2);
    ghcr_chunked: Ghcr, Chunked, Choice::Seeded(300);
    ghcr_overwriting: GhcrOverwriting, Chunked, Choice::Seeded(60);
    specification_streamed: Specification, Stream, Choice::Seeded(60);
    specification_chunked: Specification, Chunked, Choice::Seeded(60);
    distribution_streamed: Distribution, Stream, Choice::Seeded(40);
    distribution_chunked: Distribution, Chunked, Choice::Seeded(60);
    hub_streamed: Hub, Stream, Choice::Seeded(60);
    ecr_chunked: Ecr, Chunked, Choice::Seeded(15);
    gar_streamed: Gar, Stream, Choice::Seeded(40);
    gar_chunked: Gar, Chunked, Choice::Seeded(40);
    acr: Acr, Auto, Choice::Seeded(10);
}

/// How many pushes a sweep makes: those for ghcr.io's streams, and those of a seeded choice.
#[test]
fn the_document_says_how_many() {
    let streamed = quick_strikes(&setting(Personality::Ghcr, UploadMode::Stream)).len();
    let document = include_str!("../../../../docs/reliability.md");
    assert!(
        document.contains(&format!("{streamed} pushes in streams to ghcr.io's")),
        "{streamed}"
    );
}

#[test]
fn pairs_streamed() {
    pairs(&setting(Personality::Ghcr, UploadMode::Stream), PAIRS);
}

#[test]
fn pairs_chunked() {
    pairs(&setting(Personality::Ghcr, UploadMode::Chunked), PAIRS);
}

/// Everything, for every registry in both modes, and thousands of pairs.
#[test]
#[ignore = "takes a quarter of an hour"]
fn whole() {
    for personality in Personality::ALL {
        for mode in [UploadMode::Stream, UploadMode::Chunked] {
            let setting = setting(personality, mode);
            let is_large = matches!(personality, Personality::Ecr | Personality::Acr);
            sweep(
                &setting,
                if is_large {
                    Choice::Seeded(100)
                } else {
                    Choice::All
                },
            );
            pairs(&setting, if is_large { 20 } else { 400 });
        }
    }
}
