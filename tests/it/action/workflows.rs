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
