//! What a GitHub Actions run is told: annotations and groups in the log, the job's summary, the step's outputs.

mod refusals;

use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect;
use serde_json::Value;
use test_registry::{Options, Refusal, TestRegistry};

use crate::doctor::run::Workflow;
use crate::support::{Image, Run, TOKEN, USERNAME};

/// A step of a run.
struct Step {
    registry: TestRegistry,
    image: Image,
}

impl Step {
    fn new() -> Self {
        Self {
            registry: TestRegistry::start(Options::ghcr(USERNAME, TOKEN)),
            image: Image::small(),
        }
    }

    fn refused(refusal: Refusal) -> Self {
        let step = Self::new();
        step.registry.deny("owner/app", refusal);
        step
    }

    fn directory(&self) -> &Path {
        self.image.directory.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.registry.host())
    }

    /// The binary in the step, with the files that the runner makes for it.
    fn command(&self, workflow: &Workflow) -> Command {
        for name in ["summary", "output"] {
            std::fs::write(self.file(name), "").expect("writable");
        }
        let mut command = workflow.command(self.directory());
        command
            .env_remove("GHCR_PUSH_GITHUB_ACTIONS")
            .env("GITHUB_STEP_SUMMARY", self.file("summary"))
            .env("GITHUB_OUTPUT", self.file("output"))
            .env("GHCR_PUSH_TOKEN", TOKEN)
            .env("GHCR_PUSH_USERNAME", USERNAME);
        command
    }

    /// Pushes `owner/app:1`.
    fn push(&self, workflow: &Workflow, options: &[&str]) -> Run {
        let output = self
            .command(workflow)
            .args(["--plain-http", "--registry-profile", "ghcr"])
            .args(options)
            .args(["image.tar", &self.reference("owner/app:1")])
            .output();
        Run::of(output.expect("the binary starts"))
    }

    /// A file of the runner's, with what differs from run to run replaced.
    fn written(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.file(name)).expect("readable");
        stable(&text).replace(&self.registry.host(), "HOST")
    }

    /// Standard error without what is in groups, which is told by others.
    fn stderr(&self, run: &Run) -> String {
        let host = self.registry.host();
        let escaped = host.replace(':', "%3A");
        let text = stable(&run.stable_stderr(&host).replace(&escaped, "HOST"));
        let mut is_in_group = false;
        let lines = text.lines().filter(|line| {
            is_in_group &= !line.starts_with("::endgroup::");
            let is_told = !is_in_group;
            is_in_group |= line.starts_with("::group::");
            is_told
        });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }
}

/// Replaces times, identifiers of requests, and the delimiters of outputs.
fn stable(text: &str) -> String {
    let mut text = text.to_owned();
    for (before, length, replacement) in
        [("ghadelimiter_", 32, "RANDOM"), ("567890:9ABCDE:", 8, "ID")]
    {
        let parts: Vec<&str> = text.split(before).collect();
        let rest = parts[1..]
            .iter()
            .map(|part| format!("{before}{replacement}{}", &part[length..]));
        text = std::iter::once(parts[0].to_owned()).chain(rest).collect();
    }
    let words = text
        .split_inclusive(char::is_whitespace)
        .collect::<Vec<_>>();
    let is_unit = |word: Option<&&str>| word.is_some_and(|word| word.trim_end() == "s");
    let is_time = |word: &str| word.trim_end().parse::<f64>().is_ok();
    let words = words.iter().enumerate().map(|(index, word)| {
        if is_time(word) && is_unit(words.get(index + 1)) {
            "TIME ".to_owned()
        } else {
            (*word).to_owned()
        }
    });
    words.collect()
}

#[test]
fn a_success() {
    let step = Step::new();
    let run = step.push(&Workflow::default(), &["-t", "2"]);
    run.assert_code(0);
    expect![[r"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        ::group::Pushing to HOST/owner/app:1, HOST/owner/app:2
        ::endgroup::
        pushed HOST/owner/app:1
        pushed HOST/owner/app:2
        3 of 3 blobs uploaded (106.8 kB), 0 existed; 16 requests in TIME s
    "]].assert_eq(&step.stderr(&run));
    expect![[r"
        ### Pushed 2 references

        | Reference | Status | Digest |
        | --- | --- | --- |
        | `HOST/owner/app:1` | pushed | `sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567` |
        | `HOST/owner/app:2` | pushed | `sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567` |

        | Size | Platforms | Blobs | Time |
        | --- | --- | --- | --- |
        | 106.8 kB | `linux/amd64` | 3 of 3 sent (106.8 kB) | TIME s |

    "]].assert_eq(&step.written("summary"));
    let output = step.written("output");
    let (before, rest) = output.split_once("metadata<<").expect("there is metadata");
    let (metadata, after) = rest.split_once("registry-path<<").expect("and more");
    let metadata: Value =
        serde_json::from_str(metadata.lines().nth(1).expect("a value")).expect("JSON");
    assert_eq!(
        metadata["containerimage.digest"],
        step.image.sample.digest.as_str()
    );
    expect![[r#"
        digest<<ghadelimiter_RANDOM
        sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567
        ghadelimiter_RANDOM
        imageid<<ghadelimiter_RANDOM
        sha256:8c5a0b273bff22c48d6bc0648273450cdd1058b1633d136f4996ab629f4fdd19
        ghadelimiter_RANDOM
        metadata<<...
        registry-path<<ghadelimiter_RANDOM
        HOST/owner/app:1
        ghadelimiter_RANDOM
        registry-paths<<ghadelimiter_RANDOM
        ["HOST/owner/app:1","HOST/owner/app:2"]
        ghadelimiter_RANDOM
        tags<<ghadelimiter_RANDOM
        HOST/owner/app:1
        HOST/owner/app:2
        ghadelimiter_RANDOM
    "#]]
    .assert_eq(&format!("{before}metadata<<...\nregistry-path<<{after}"));
}

#[test]
fn a_tag_that_moves_and_one_that_stays() {
    let step = Step::new();
    step.push(&Workflow::default(), &[]).assert_code(0);
    let other = Image::new(&test_registry::SampleImage::of_layers(&[2000]));
    std::fs::copy(other.path(), step.image.path()).expect("writable");
    step.push(&Workflow::default(), &[]).assert_code(0);
    let moved = format!("pushed, before `{}`", step.image.sample.digest);
    let summary = step.written("summary");
    assert!(summary.contains(&moved), "{summary}");
    step.push(&Workflow::default(), &[]).assert_code(0);
    expect![[r"
        ### `HOST/owner/app:1` is there already

        | Reference | Status | Digest |
        | --- | --- | --- |
        | `HOST/owner/app:1` | unchanged | `sha256:541b0833f4629e67314020522993b70bde4980863c68fd689dd314297df50c41` |

        | Size | Platforms | Blobs | Time |
        | --- | --- | --- | --- |
        | 3.8 kB | `linux/amd64` | 0 of 2 sent (0 B), 2 existed | TIME s |

    "]].assert_eq(&step.written("summary"));
}

#[test]
fn what_will_go_wrong_is_a_warning() {
    let step = Step::new();
    let workflow = Workflow {
        repository: "other/app",
        ..Workflow::default()
    };
    let run = step.push(&workflow, &[]);
    run.assert_code(0);
    let stderr = step.stderr(&run);
    let warning = stderr.lines().find(|line| line.starts_with("::warning"));
    expect!["::warning title=namespace-mismatch::a workflow's own token is good for packages of other only, and this push goes to owner; push to HOST/other/..., or use a classic token of somebody who may write there"].assert_eq(warning.expect("there is one"));
    assert!(!stderr.contains("warning: "), "it is told once: {stderr}");
    let run = step.push(&workflow, &["-q"]);
    run.assert_code(0);
    assert_eq!(run.stderr, "");
}

#[test]
fn an_empty_secret_is_a_warning() {
    let step = Step::new();
    let mut command = step.command(&Workflow::default());
    command
        .env("GITHUB_TOKEN", "")
        .env_remove("GHCR_PUSH_TOKEN")
        .args([
            "--registry-profile",
            "ghcr",
            "image.tar",
            "ghcr.io/owner/app",
        ]);
    let run = Run::of(command.output().expect("the binary starts"));
    run.assert_code(4);
    let warning = run
        .stderr
        .lines()
        .find(|line| line.starts_with("::warning"));
    expect!["::warning title=credentials::GITHUB_TOKEN is set but empty; secrets are empty in runs for pull requests from forks"].assert_eq(warning.expect("there is one"));
}

#[test]
fn whoever_does_not_want_it_is_not_told() {
    let step = Step::refused(Refusal::WritePackage);
    let run = step.push(&Workflow::default(), &["--github-actions", "off"]);
    run.assert_code(4);
    assert!(!run.stderr.contains("::error"), "{}", run.stderr);
    assert!(!run.stderr.contains("::group"), "{}", run.stderr);
    assert_eq!(step.written("summary"), "");
}

/// Neither a file that is not there nor one without room is a reason to fail.
#[test]
fn files_that_cannot_be_written() {
    let step = Step::new();
    let mut command = step.command(&Workflow::default());
    command
        .env("GITHUB_STEP_SUMMARY", step.file("absent/summary"))
        .env("GITHUB_OUTPUT", step.file("absent/output"))
        .args(["--plain-http", "--progress", "none", "image.tar"])
        .arg(step.reference("owner/app:1"));
    let run = Run::of(command.output().expect("the binary starts"));
    run.assert_code(0);
    let notices: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.starts_with("notice: "))
        .collect();
    assert_eq!(notices.len(), 2, "{}", run.stderr);

    let mut command = step.command(&Workflow::default());
    let full = "x".repeat(1024 * 1024 - 200);
    std::fs::write(step.file("summary"), &full).expect("writable");
    command
        .args(["--plain-http", "-q", "image.tar"])
        .arg(step.reference("owner/app:1"));
    let run = Run::of(command.output().expect("the binary starts"));
    run.assert_code(0);
    let summary = step.written("summary");
    assert!(summary.len() <= 1024 * 1024, "{}", summary.len());
    assert!(summary.ends_with("There is no room for the rest, which is in the log.\n"));
}
