//! The workflows of this repository: what zizmor would find and a program of this project can, and that they make
//! what the action installs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::definition::parse;
use super::root;

/// The workflows, by name.
fn workflows() -> Vec<(String, String)> {
    let directory = root().join(".github/workflows");
    let entries = std::fs::read_dir(directory).expect("workflows");
    let files = entries.map(|entry| entry.expect("readable").path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy();
        (
            name.into_owned(),
            std::fs::read_to_string(&path).expect("text"),
        )
    };
    files.map(read).collect()
}

fn jobs(workflow: &Value) -> impl Iterator<Item = (&String, &Value)> {
    workflow["jobs"].as_object().expect("jobs").iter()
}

fn steps(job: &Value) -> &[Value] {
    job["steps"].as_array().map_or(&[], Vec::as_slice)
}

/// A tag of somebody else's can be moved; a commit's hash cannot.
#[test]
fn actions_are_pinned_by_their_commits() {
    let mut count = 0;
    for (name, text) in workflows() {
        for line in text.lines() {
            let Some((_, action)) = line.split_once("uses: ") else {
                continue;
            };
            // One of this repository, at the commit that runs.
            if action.starts_with("$/") {
                continue;
            }
            count += 1;
            let (_, pin) = action.split_once('@').expect("a version");
            let (commit, version) = pin.split_once(" # ").expect("what the commit is");
            let is_hash = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(commit.len() == 40 && is_hash(commit), "{name}: {line}");
            let numbers: Vec<&str> = version.strip_prefix('v').expect("v").split('.').collect();
            let is_number = |text: &&str| text.parse::<u32>().is_ok();
            assert!(
                numbers.len() == 3 && numbers.iter().all(is_number),
                "{name}: {line}"
            );
        }
    }
    assert!(count > 5, "{count}");
}

#[test]
fn jobs_may_do_what_they_need_and_no_more() {
    for (name, text) in workflows() {
        let workflow = parse(&text);
        assert_eq!(
            workflow["permissions"],
            Value::Object(serde_json::Map::new()),
            "{name}"
        );
        for (id, job) in jobs(&workflow) {
            assert!(job["permissions"].is_object(), "{name}: {id}");
            for step in steps(job) {
                let script = step["run"].as_str().unwrap_or_default();
                assert!(!script.contains("${{"), "{name}: {id}: {script}");
                let uses = step["uses"].as_str().unwrap_or_default();
                if uses.starts_with("actions/checkout@") {
                    assert_eq!(step["with"]["persist-credentials"], "false", "{name}: {id}");
                }
            }
        }
    }
}

/// The workflow that `action/install.sh` takes attestations of.
fn release() -> Value {
    let all = workflows();
    let found = all.iter().find(|(name, _)| name == "release.yml");
    parse(&found.expect("it is there").1)
}

/// The image's tag `latest` moves when the release is out, and not before.
#[test]
fn the_image_follows_the_release() {
    let workflow = release();
    let needs = workflow["jobs"]["image"]["needs"].as_array();
    let needs = needs.expect("a list");
    assert!(needs.contains(&Value::from("release")), "{needs:?}");
    let publishes = workflow["jobs"]["release"]["steps"].to_string();
    assert!(publishes.contains("--draft=false"), "{publishes}");
}

/// Whoever can write packages, sign or publish runs nothing that was compiled there: the code of others that a build
/// runs could do all of that too.
#[test]
fn privileged_jobs_compile_nothing() {
    let mut privileged = Vec::new();
    for (name, text) in workflows() {
        for (id, job) in jobs(&parse(&text)) {
            let permissions = job["permissions"].as_object().expect("permissions");
            if permissions.values().all(|value| value == "read") {
                continue;
            }
            privileged.push(format!("{name}: {id}"));
            for step in steps(job) {
                let script = step["run"].as_str().unwrap_or_default();
                assert!(!script.contains("cargo"), "{name}: {id}: {script}");
                let uses = step["uses"].as_str().unwrap_or_default();
                assert!(!uses.starts_with("actions/checkout@"), "{name}: {id}");
            }
        }
    }
    for job in ["attest", "image", "release"] {
        let job = format!("release.yml: {job}");
        assert!(privileged.contains(&job), "{job}: {privileged:?}");
    }
}

/// `action/install.sh` takes what is attested, released or not.
#[test]
fn what_is_attested_has_passed_the_tests() {
    let workflow = release();
    let needs = workflow["jobs"]["attest"]["needs"].as_array();
    let needs = needs.expect("a list");
    assert!(needs.contains(&Value::from("test")), "{needs:?}");
    let tests = workflow["jobs"]["test"]["uses"].as_str();
    assert_eq!(tests, Some("$/.github/workflows/ci.yml"));
}

/// Known vulnerabilities are asked for before a release as before any change, by a program of one version.
#[test]
fn dependencies_are_looked_at() {
    let all = workflows();
    let ci = all.iter().find(|(name, _)| name == "ci.yml");
    let ci = parse(&ci.expect("it is there").1);
    let steps = steps(&ci["jobs"]["dependencies"]);
    let scripts: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .collect();
    let [install, look] = scripts.as_slice() else {
        panic!("{scripts:?}");
    };
    assert!(
        install.starts_with("cargo install --locked --version "),
        "{install}"
    );
    assert!(look.contains("check advisories"), "{look}");
}

/// The alias runs in workflows with dependencies that nobody has looked at otherwise.
#[test]
fn tasks_are_built_of_what_the_lock_file_names() {
    let text = std::fs::read_to_string(root().join(".cargo/config.toml")).expect("text");
    let mut lines = text.lines();
    let alias = lines
        .find_map(|line| line.strip_prefix("xtask = "))
        .expect("an alias");
    assert!(alias.split(' ').any(|word| word == "--locked"), "{alias}");
}

/// Each target that the action asks for is built, and no other.
#[test]
fn releases_have_what_the_action_installs() {
    let workflow = release();
    let built = workflow["jobs"]["build"]["strategy"]["matrix"]["include"]
        .as_array()
        .expect("a matrix")
        .iter()
        .map(|entry| entry["target"].as_str().expect("a target"));
    let built: BTreeSet<&str> = built.collect();
    let script = std::fs::read_to_string(root().join("action/install.sh")).expect("text");
    let asked = script.lines().filter_map(|line| {
        let (_, command) = line.split_once(") echo ")?;
        command.strip_suffix(" ;;")
    });
    assert_eq!(asked.collect::<BTreeSet<&str>>(), built);
    assert!(script.contains("/.github/workflows/release.yml"));
}
