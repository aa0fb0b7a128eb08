//! The action: its steps, run as a runner runs them, with a release served on this machine and an embedded registry.

mod cache;
mod definition;
mod inputs;
mod job;
mod pin;
mod promises;
mod release;
mod workflows;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use test_registry::{Action, Fault, Options, Phase, Refusal, Route, TestRegistry};

use self::job::{Gh, Job, Outcome};
use self::release::{Release, VERSION};
use crate::support::{Image, TOKEN, USERNAME};

/// A job that pushes an image with a released tool.
struct Scene {
    registry: TestRegistry,
    image: Image,
    release: Release,
    job: Job,
}

impl Scene {
    fn new() -> Self {
        Self::with(Release::new())
    }

    fn with(release: Release) -> Self {
        let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
        let image = Image::small();
        let mut job = Job::new(image.directory.path());
        job.variable("GITHUB_SERVER_URL", &release.url());
        job.input("image", "image.tar");
        job.input("references", &format!("{}/owner/app:1", registry.host()));
        job.input("token", TOKEN);
        job.input("args", "--plain-http --registry-profile ghcr");
        Self {
            registry,
            image,
            release,
            job,
        }
    }

    /// Runs the job, which is to stop at the installation, for a reason.
    #[track_caller]
    fn assert_refused(&self, reason: &str) {
        let outcome = self.job.run();
        assert_eq!(outcome.steps.len(), 1, "{outcome:?}");
        let run = &outcome.steps[0];
        run.assert_code(1);
        assert!(
            run.stdout
                .contains("::error title=ghcr-push was not installed::"),
            "{run:?}"
        );
        assert!(run.stdout.contains(reason), "{run:?}");
        assert_eq!(self.registry.journal().exchanges.len(), 0);
        assert_eq!(self.left(), [""; 0], "nothing is left");
    }

    /// What lies where the versions of the tool do, by name.
    fn left(&self) -> Vec<String> {
        let parent = self.job.tools().join(format!("owner/source/{VERSION}"));
        let entries = std::fs::read_dir(parent).into_iter().flatten();
        let names = entries.map(|entry| entry.expect("readable").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }
}

/// The delimiter-free outputs of a job that pushed.
#[track_caller]
fn assert_pushed(scene: &Scene, outcome: &Outcome) {
    for run in &outcome.steps {
        run.assert_code(0);
    }
    let digest = &scene.image.sample.digest;
    let reference = format!("{}/owner/app:1", scene.registry.host());
    assert_eq!(outcome.outputs["digest"], *digest);
    assert_eq!(outcome.outputs["registry-path"], reference);
    assert_eq!(
        outcome.outputs["registry-paths"],
        format!("[\"{reference}\"]")
    );
    assert_eq!(outcome.outputs["tags"], reference);
    assert!(outcome.outputs["imageid"].starts_with("sha256:"));
    assert!(outcome.outputs["metadata"].contains(digest));
    assert_eq!(scene.registry.tags("owner/app"), ["1"]);
}

#[test]
fn a_release_is_installed_and_pushes() {
    let scene = Scene::new();
    let outcome = scene.job.run();
    assert_pushed(&scene, &outcome);
    assert!(
        outcome.summary.contains(scene.image.sample.digest.as_str()),
        "{}",
        outcome.summary
    );
    let directory = scene
        .job
        .tools()
        .join(format!("owner/source/{VERSION}/x86_64-unknown-linux-musl"));
    assert_eq!(outcome.path, [directory.display().to_string()]);
    let archive = format!("ghcr-push-x86_64-unknown-linux-musl-v{VERSION}.tar.gz");
    assert_eq!(
        scene.job.asked_of_gh(),
        [format!(
            "{} ghs_workflow attestation verify {archive} --repo owner/source \
             --signer-workflow owner/source/.github/workflows/release.yml \
             --source-ref refs/tags/v{VERSION} --deny-self-hosted-runners",
            scene.release.host()
        )]
    );
    assert_eq!(
        scene.release.requests(),
        ["SHA256SUMS", archive.as_str()]
            .map(|file| format!("/owner/source/releases/download/v{VERSION}/{file}"))
    );
}

#[test]
fn what_is_installed_is_not_downloaded_again() {
    let scene = Scene::new();
    assert_pushed(&scene, &scene.job.run());
    let requests = scene.release.requests();
    assert_pushed(&scene, &scene.job.run());
    assert_eq!(scene.release.requests(), requests);
    assert_eq!(scene.left(), ["x86_64-unknown-linux-musl"]);
}

#[test]
fn a_wrong_checksum() {
    Scene::with(Release::with_another_checksum()).assert_refused("and the release lists 0000");
}

#[test]
fn a_file_that_the_release_does_not_list() {
    Scene::with(Release::with_no_checksum()).assert_refused("and the release lists none");
}

#[test]
fn a_refused_attestation() {
    let scene = Scene::new();
    scene.job.gh(Gh::Refusing);
    scene.assert_refused("has no attestation that the release workflow of owner/source built it");
    assert_eq!(scene.job.asked_of_gh().len(), 1);
}

#[test]
fn a_release_that_is_not_there() {
    let mut scene = Scene::new();
    scene.job.input("version", "9.9.9");
    scene.assert_refused("Is there a release v9.9.9 of owner/source?");
}

#[test]
fn an_archive_without_the_tool() {
    Scene::with(Release::of_something_else()).assert_refused("holds no ghcr-push-");
}

/// Each kind of machine gets its own archive.
#[test]
fn targets() {
    for (system, processor, expected) in [
        ("Linux", "X64", "x86_64-unknown-linux-musl-vVERSION.tar.gz"),
        (
            "Linux",
            "ARM64",
            "aarch64-unknown-linux-musl-vVERSION.tar.gz",
        ),
        ("macOS", "X64", "x86_64-apple-darwin-vVERSION.tar.gz"),
        ("macOS", "ARM64", "aarch64-apple-darwin-vVERSION.tar.gz"),
        ("Windows", "X64", "x86_64-pc-windows-msvc-vVERSION.zip"),
        ("Windows", "ARM64", "x86_64-pc-windows-msvc-vVERSION.zip"),
    ] {
        let mut scene = Scene::with(Release::without_archives());
        scene.job.variable("RUNNER_OS", system);
        scene.job.variable("RUNNER_ARCH", processor);
        scene.assert_refused("cannot be downloaded");
        let asked = scene.release.requests().pop().expect("it asked");
        let expected = expected.replace("VERSION", VERSION);
        assert!(
            asked.ends_with(&format!("/ghcr-push-{expected}")),
            "{asked}"
        );
    }
    let mut scene = Scene::new();
    scene.job.variable("RUNNER_ARCH", "ARM");
    scene.assert_refused("there is no release for Linux on ARM");
}

/// Windows' archive is a zip file, and the program in it has an ending.
#[test]
fn windows() {
    let mut scene = Scene::with(Release::for_windows());
    scene.job.variable("RUNNER_OS", "Windows");
    assert_pushed(&scene, &scene.job.run());
    assert_eq!(scene.left(), ["x86_64-pc-windows-msvc"]);
}

#[test]
fn a_refused_push_fails_the_step() {
    let scene = Scene::new();
    scene.registry.deny("owner/app", Refusal::WritePackage);
    let outcome = scene.job.run();
    let run = outcome.steps.last().expect("it ran");
    run.assert_code(4);
    assert!(run.stderr.contains("::error title="), "{}", run.stderr);
    assert_eq!(outcome.outputs["digest"], "");
    let summary = &outcome.summary;
    assert!(summary.contains("package-denies-repository"), "{summary}");
}

/// A runner that cancels a job signals the process that it started, and no other: that has to be the tool.
#[test]
fn a_signal_arrives() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let scene = Scene::new();
        scene.registry.fail(
            Fault::new(Action::Stall)
                .on(Route::UploadStart)
                .at(Phase::BeforeState),
        );
        let outcome = scene.job.run_and(|child| {
            let start = Instant::now();
            while scene.registry.journal().count(Route::UploadStart) == 0 {
                assert!(
                    start.elapsed() < Duration::from_mins(1),
                    "it does not start"
                );
                std::thread::sleep(Duration::from_millis(10));
            }
            let kill = Command::new("sh")
                .args(["-c", &format!("kill -{signal} {}", child.id())])
                .status();
            assert!(kill.expect("a shell").success());
            let start = Instant::now();
            while child.try_wait().expect("it is a child").is_none() {
                if start.elapsed() > Duration::from_secs(10) {
                    child.kill().expect("it is there");
                    panic!("{signal} does not end it");
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let run = outcome.steps.last().expect("it ran");
        run.assert_code(code);
        assert!(run.stderr.contains("interrupted"), "{}", run.stderr);
    }
}

/// The repository's root, where the action is.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
