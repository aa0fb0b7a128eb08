//! What is verified where the action is pinned by a commit: a tag can be moved, and what runs with it.

use super::job::Gh;
use super::release::VERSION;
use super::{Scene, assert_pushed};

const COMMIT: &str = "ffac537e6cbbf934b08745a378932722df287a53";
const OTHER: &str = "3d3c42e5aac5ba805825da76410c181273ba90b1";

/// Where a release is named, or the action is named by a tag, or only the checksum is asked for, a commit says nothing.
#[test]
fn a_commit_is_compared() {
    for (pin, version, verify, expected) in [
        (COMMIT, "", "attestation", Some(true)),
        (COMMIT, VERSION, "attestation", Some(false)),
        ("v1", "", "attestation", Some(false)),
        ("ffac537", "", "attestation", Some(false)),
        ("", "", "attestation", Some(false)),
        (COMMIT, "", "checksum", None),
    ] {
        let mut scene = Scene::new();
        scene.job.pin(pin);
        scene.job.input("version", version);
        scene.job.input("verify", verify);
        assert_pushed(&scene, &scene.job.run());
        let asked = scene.job.asked_of_gh();
        let told = asked.first().map(|line| {
            assert!(
                line.contains(&format!("--source-ref refs/tags/v{VERSION} ")),
                "{line}"
            );
            line.contains(&format!(" --source-digest {COMMIT} "))
        });
        assert_eq!(told, expected, "{pin:?} {version:?} {verify}: {asked:?}");
        let any = asked.iter().any(|line| line.contains("--source-digest"));
        assert_eq!(any, expected == Some(true), "{asked:?}");
    }
}

#[test]
fn a_release_of_another_commit() {
    let mut scene = Scene::new();
    scene.job.gh(Gh::Refusing);
    scene.job.pin(COMMIT);
    scene.assert_refused(&format!(
        "at the commit {COMMIT}, by which the action is pinned"
    ));
}

/// What an earlier job has verified serves whoever demands no more.
#[test]
fn what_is_here_was_built_from_the_commit() {
    let mut scene = Scene::new();
    assert_pushed(&scene, &scene.job.run());
    for (pin, count) in [(COMMIT, 2), (COMMIT, 2), ("v1", 2), (OTHER, 3), (OTHER, 3)] {
        scene.job.pin(pin);
        assert_pushed(&scene, &scene.job.run());
        assert_eq!(scene.job.asked_of_gh().len(), count, "{pin}");
    }
}
