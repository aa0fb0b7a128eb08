//! What of a release is verified, and when a program that is there already is believed.

use std::fs;
use std::path::PathBuf;

use super::job::Gh;
use super::release::VERSION;
use super::{Scene, assert_pushed};

/// Where the program is kept.
fn directory(scene: &Scene) -> PathBuf {
    let target = format!("owner/source/{VERSION}/x86_64-unknown-linux-musl");
    scene.job.tools().join(target)
}

/// What is noted of it: how it was verified, and two checksums.
fn record(scene: &Scene) -> String {
    fs::read_to_string(directory(scene).join("verified")).expect("it is noted")
}

/// On a runner of one's own gh may be missing, or too old to know attestations.
#[test]
fn without_gh_nothing_is_installed() {
    for gh in [Gh::Absent, Gh::Old] {
        let scene = Scene::new();
        scene.job.gh(gh);
        scene.assert_refused("there is no gh on PATH that verifies attestations");
        scene.assert_refused("With verify: checksum, the checksum in the release has to do.");
    }
}

#[test]
fn who_asks_for_no_more_gets_a_checksum() {
    for gh in [Gh::Absent, Gh::Old, Gh::Refusing] {
        let mut scene = Scene::new();
        scene.job.input("verify", "checksum");
        scene.job.gh(gh);
        assert_pushed(&scene, &scene.job.run());
        assert_eq!(scene.job.asked_of_gh(), [""; 0]);
        assert!(
            record(&scene).starts_with("checksum "),
            "{}",
            record(&scene)
        );
    }
}

/// A job that demands attestations is not given what another one has downloaded without.
#[test]
fn what_was_only_summed_is_not_taken_for_attested() {
    let mut scene = Scene::new();
    scene.job.input("verify", "checksum");
    assert_pushed(&scene, &scene.job.run());
    scene.job.input("verify", "attestation");
    let requests = scene.release.requests().len();
    assert_pushed(&scene, &scene.job.run());
    assert_eq!(scene.release.requests().len(), 2 * requests);
    assert_eq!(scene.job.asked_of_gh().len(), 1);
    assert!(
        record(&scene).starts_with("attestation "),
        "{}",
        record(&scene)
    );
    assert_eq!(scene.left(), ["x86_64-unknown-linux-musl"]);
    // The other way, more than is asked for will do.
    scene.job.input("verify", "checksum");
    assert_pushed(&scene, &scene.job.run());
    assert_eq!(scene.release.requests().len(), 2 * requests);
    assert!(
        record(&scene).starts_with("attestation "),
        "{}",
        record(&scene)
    );
}

#[test]
fn an_attestation_that_is_refused_leaves_what_was_summed() {
    let mut scene = Scene::new();
    scene.job.input("verify", "checksum");
    assert_pushed(&scene, &scene.job.run());
    scene.job.input("verify", "attestation");
    scene.job.gh(Gh::Refusing);
    let outcome = scene.job.run();
    assert_eq!(outcome.steps.len(), 1, "{outcome:?}");
    outcome.steps[0].assert_code(1);
    assert!(
        record(&scene).starts_with("checksum "),
        "{}",
        record(&scene)
    );
    assert_eq!(scene.left(), ["x86_64-unknown-linux-musl"]);
}

/// Damaged, changed, or put there by something else: it is replaced before it runs.
#[test]
fn what_is_not_what_was_verified_is_replaced() {
    const FORGED: &str = "#!/bin/sh\necho forged\n";
    let damages: [fn(&Scene); 6] = [
        |scene| fs::write(directory(scene).join("ghcr-push"), FORGED).expect("writable"),
        |scene| fs::remove_file(directory(scene).join("ghcr-push")).expect("it is there"),
        |scene| fs::remove_file(directory(scene).join("verified")).expect("it is there"),
        |scene| fs::write(directory(scene).join("verified"), "").expect("writable"),
        |scene| fs::write(directory(scene).join("verified"), "attestation\n").expect("writable"),
        |scene| {
            let text = record(scene);
            let words: Vec<&str> = text.split_whitespace().collect();
            let text = format!("{} unknown {}\n", words[0], words[2]);
            fs::write(directory(scene).join("verified"), text).expect("writable");
        },
    ];
    let scene = Scene::new();
    assert_pushed(&scene, &scene.job.run());
    let sound = record(&scene);
    for (position, damage) in damages.iter().enumerate() {
        damage(&scene);
        let outcome = scene.job.run();
        assert_pushed(&scene, &outcome);
        let log = &outcome.steps[0].stdout;
        assert!(!log.contains("forged"), "{position}: {log}");
        assert_eq!(scene.release.requests().len(), 2 * (position + 2));
        assert_eq!(record(&scene), sound);
        assert_eq!(scene.left(), ["x86_64-unknown-linux-musl"]);
    }
}
