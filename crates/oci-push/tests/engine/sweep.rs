//! Every request of a push, struck once, at every moment and in every way: the push succeeds and the registry
//! holds the image, or it fails and no tag is set; and bytes are not sent over and over.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use oci_push::UploadMode;
use test_registry::{Action, Exchange, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::soak::Chance;
use crate::support::{MIB, PASSWORD, Source, USERNAME, assert_published, options, push};

/// One request of a clean push: the kind of request, and which one of its kind.
#[derive(Debug, Clone, Copy)]
struct Target {
    route: Route,
    number: usize,
    body: u64,
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

fn actions() -> Vec<Action> {
    let answer = |status: u16, body: &str| Action::Answer {
        status,
        headers: Vec::new(),
        body: body.to_owned(),
    };
    vec![
        Action::Reset,
        Action::Close,
        answer(500, ""),
        answer(503, "<html>down</html>"),
        answer(
            429,
            r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 5ms"}]}"#,
        ),
        answer(408, "{\"errors\":[{\"co"),
        answer(403, ""),
        Action::RevokeTokens,
    ]
}

/// The moments at which an action makes sense.
fn phases(target: Target, action: &Action) -> Vec<Phase> {
    let mut phases = vec![Phase::BeforeHead];
    let is_break = matches!(action, Action::Reset | Action::Close);
    if target.body > 1 && is_break {
        phases.push(Phase::AfterBodyBytes(target.body / 2));
    }
    if is_break || *action == Action::RevokeTokens {
        phases.push(Phase::AfterState);
    }
    phases
}

fn sweep(mode: UploadMode) {
    let source = Source::new(&SampleImage::of_layers(&[5 * MIB, 2000]));
    let settings = || {
        let mut options = options();
        options.upload_mode = mode;
        options.chunk_size = Some(2 * MIB);
        options.jobs = Some(1);
        options
    };
    let clean = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    push(&clean, &source, settings()).report();
    let targets = targets(&clean.journal().exchanges);
    let mut runs = 0;
    for target in targets {
        for action in actions() {
            for phase in phases(target, &action) {
                runs += 1;
                strike(&source, target, &action, phase, settings());
            }
        }
    }
    assert!(runs > 100, "{runs}");
}

fn strike(
    source: &Source,
    target: Target,
    action: &Action,
    phase: Phase,
    options: oci_push::PushOptions,
) {
    let name = format!("{target:?} {action:?} {phase:?}");
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    registry.fail(
        Fault::new(action.clone())
            .on(target.route)
            .from_request(target.number)
            .at(phase)
            .once(),
    );
    let pushed = push(&registry, source, options);
    if let Err(error) = &pushed.result {
        panic!("{name}: {error:?}");
    }
    assert_published(&registry, source);
    let sent = registry.journal().blob_bytes();
    let size = source.sample.blob_bytes();
    assert!(sent <= 3 * size, "{name}: {sent} bytes for {size}");
    for (digest, _) in &source.sample.blobs {
        let stored = registry.journal().uploads_of(digest).stored;
        assert!(stored <= 2, "{name}: {digest} was stored {stored} times");
    }
}

#[test]
fn every_request_of_a_streamed_push() {
    sweep(UploadMode::Stream);
}

#[test]
fn every_request_of_a_chunked_push() {
    sweep(UploadMode::Chunked);
}

/// Two faults in one push, of a seeded choice: all pairs would take hours.
#[test]
fn pairs() {
    const PAIRS: u64 = 150;
    let source = Source::new(&SampleImage::of_layers(&[5 * MIB, 2000]));
    for mode in [UploadMode::Stream, UploadMode::Chunked] {
        let settings = || {
            let mut options = options();
            options.upload_mode = mode;
            options.chunk_size = Some(2 * MIB);
            options.jobs = Some(1);
            options
        };
        let clean = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
        push(&clean, &source, settings()).report();
        let targets = targets(&clean.journal().exchanges);
        for seed in 0..PAIRS {
            let mut chance = Chance(seed);
            let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
            let mut name = format!("{mode:?}, seed {seed}:");
            for _ in 0..2 {
                let target = chance.of(&targets);
                let action = chance.of(&actions());
                let phase = chance.of(&phases(target, &action));
                let _ = write!(name, " {target:?} {action:?} {phase:?};");
                let fault = Fault::new(action)
                    .on(target.route)
                    .from_request(target.number);
                registry.fail(fault.at(phase).once());
            }
            let pushed = push(&registry, &source, settings());
            if let Err(error) = &pushed.result {
                panic!("{name}: {error:?}");
            }
            assert_published(&registry, &source);
            let sent = registry.journal().blob_bytes();
            assert!(sent <= 4 * source.sample.blob_bytes(), "{name}: {sent}");
        }
    }
}
