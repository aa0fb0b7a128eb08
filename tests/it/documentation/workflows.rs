//! Workflows in the documents: valid, with the permissions that their pushes need, and nothing that GitHub or
//! a linter warns of.

use std::process::Command;

use serde_json::{Map, Value};
use test_registry::installed;

use super::markdown::{Block, Page};
use super::{pages, yaml};

/// Blocks of YAML with where they stand.
fn blocks() -> Vec<(String, Block)> {
    let place = |page: &Page, block: &Block| format!("{}:{}", page.path, block.line);
    let blocks = pages().into_iter().flat_map(|mut page| {
        let blocks = std::mem::take(&mut page.blocks);
        blocks
            .into_iter()
            .filter(|block| block.info == "yaml")
            .map(move |block| (place(&page, &block), block))
    });
    blocks.collect()
}

#[test]
fn workflows_are_such_as_work() {
    let blocks = blocks();
    assert!(blocks.len() > 15, "{}", blocks.len());
    let mut problems = Vec::new();
    for (place, block) in &blocks {
        match yaml::read(&block.text) {
            Ok(value) => {
                for problem in judge(&value) {
                    problems.push(format!("{place}: {problem}"));
                }
            }
            Err(error) => problems.push(format!("{place}: {error}")),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What is wrong with a workflow, or with some steps of one.
fn judge(value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(steps) = value.as_array() {
        judge_steps(steps, &mut problems);
        return problems;
    }
    let Some(jobs) = value.get("jobs").and_then(Value::as_object) else {
        return vec!["neither a workflow nor steps".to_owned()];
    };
    if value.get("on").is_none() {
        problems.push("it is started by nothing".to_owned());
    }
    for (name, job) in jobs {
        let permissions = job.get("permissions").or_else(|| value.get("permissions"));
        let Some(permissions) = permissions else {
            problems.push(format!("{name} has whatever permissions are the default"));
            continue;
        };
        let steps = job.get("steps").and_then(Value::as_array);
        let steps = steps.map(Vec::as_slice).unwrap_or_default();
        let may_push = permissions.get("packages") == Some(&Value::from("write"));
        if !may_push && steps.iter().any(pushes) {
            problems.push(format!("{name} pushes without packages: write"));
        }
        judge_steps(steps, &mut problems);
        if let Some(uses) = job.get("uses") {
            judge_uses(uses, &mut problems);
        }
    }
    problems
}

fn judge_steps(steps: &[Value], problems: &mut Vec<String>) {
    for step in steps {
        if let Some(uses) = step.get("uses") {
            judge_uses(uses, problems);
        }
        let script = run(step);
        if script.contains("${{") {
            problems.push(format!("an expression becomes code: {script}"));
        }
        let known = |key: &String| {
            ["id", "if", "name", "uses", "with", "run", "env", "shell"].contains(&key.as_str())
        };
        let empty = Map::new();
        for key in step.as_object().unwrap_or(&empty).keys() {
            if !known(key) {
                problems.push(format!("a step with {key}"));
            }
        }
    }
}

fn judge_uses(uses: &Value, problems: &mut Vec<String>) {
    let uses = uses.as_str().unwrap_or_default();
    let version = uses.split_once('@').map(|(_, version)| version);
    if !uses.starts_with("./") && version.is_none_or(str::is_empty) {
        problems.push(format!("{uses:?} has no version"));
    }
}

fn run(step: &Value) -> &str {
    step.get("run").and_then(Value::as_str).unwrap_or_default()
}

/// Whether a step publishes something.
fn pushes(step: &Value) -> bool {
    let script = run(step);
    let uses = step.get("uses").and_then(Value::as_str).unwrap_or_default();
    let is_own = script.lines().any(|line| {
        let words = line.trim().strip_prefix("ghcr-push ");
        words.is_some_and(|words| !words.starts_with("inspect ") && !words.starts_with("explain "))
    });
    is_own || uses.contains("/ghcr-push@") || script.contains("buildx build --push")
}

#[test]
fn what_is_wrong() {
    for (text, expected) in [
        ("- uses: actions/checkout\n", "has no version"),
        ("- run: echo ${{ github.ref }}\n", "becomes code"),
        ("- with: {}\n  runs: x\n", "a step with runs"),
        ("on: push\njobs: {a: {steps: []}}\n", "the default"),
        (
            "permissions: {}\non: push\njobs: {a: {steps: [run: ghcr-push a.tar ghcr.io/o/n]}}\n",
            "without packages: write",
        ),
        ("permissions: {}\njobs: {}\n", "started by nothing"),
        ("a: b\n", "neither"),
    ] {
        let problems = judge(&yaml::read(text).expect("YAML"));
        assert!(
            problems.iter().any(|problem| problem.contains(expected)),
            "{text}: {problems:?}"
        );
    }
    let fine = "permissions: {packages: write}\non: push\n\
                jobs: {a: {steps: [run: ghcr-push a.tar ghcr.io/o/n]}}\n";
    assert_eq!(judge(&yaml::read(fine).expect("YAML")), [""; 0]);
}

/// In the documents of this project's own, what is needed to push comes first.
#[test]
fn permissions_come_first() {
    for (place, block) in blocks() {
        let is_ours = place.starts_with("README.md") || place.starts_with("docs/github-actions.md");
        assert!(
            !is_ours || block.text.starts_with("permissions:"),
            "{place}"
        );
    }
}

/// Writes all workflows into a directory as a repository has them.
fn written() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let workflows = directory.path().join(".github/workflows");
    std::fs::create_dir_all(&workflows).expect("a directory");
    for (place, block) in blocks() {
        if block.text.contains("\njobs:\n") {
            let name = place.replace(['/', ':', '.'], "-");
            let path = workflows.join(format!("{name}.yml"));
            std::fs::write(path, &block.text).expect("it can be written");
        }
    }
    // Examples name versions, so that they are not out of date tomorrow; the page says what is safer.
    let config = "rules:\n  unpinned-uses:\n    config:\n      policies:\n        '*': ref-pin\n  \
                  self-repository:\n    disable: true\n";
    std::fs::write(directory.path().join("zizmor.yml"), config).expect("it can be written");
    directory
}

#[track_caller]
fn assert_finds_nothing(program: &str, arguments: &[&str]) {
    if !installed(&[program]) {
        return;
    }
    let directory = written();
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory.path())
        .output()
        .expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&said)
    );
}

#[test]
fn zizmor_finds_nothing() {
    let arguments = ["--offline", "--config", "zizmor.yml", ".github/workflows"];
    assert_finds_nothing("zizmor", &arguments);
}

#[test]
fn actionlint_finds_nothing() {
    if !installed(&["actionlint"]) {
        return;
    }
    // Without a repository around, it takes files.
    assert_finds_nothing("sh", &["-c", "exec actionlint .github/workflows/*.yml"]);
}
