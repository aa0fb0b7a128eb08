//! What the action's definition and its page promise.

use serde_json::Value;

use super::definition;
use super::release::VERSION;
use super::root;

/// The outputs that the binary sets (`docs/usage.md`).
const OUTPUTS: [&str; 6] = [
    "digest",
    "imageid",
    "metadata",
    "registry-path",
    "registry-paths",
    "tags",
];

fn keys(node: &Value) -> Vec<&str> {
    let entries = node.as_object().expect("a mapping");
    entries.keys().map(String::as_str).collect()
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// An expression in a script is code that somebody else may have written; in a variable it is data.
#[test]
fn no_script_has_an_expression() {
    let action = definition::read();
    for step in action["runs"]["steps"].as_array().expect("steps") {
        let script = step["run"].as_str().expect("a script");
        assert!(!script.contains("${{"), "{script}");
        assert!(script.starts_with("exec "), "a signal arrives: {script}");
    }
    for script in ["action/install.sh", "action/push.sh"] {
        assert!(!text(script).contains("${{"), "{script}");
    }
}

#[test]
fn every_input_is_used_and_every_output_comes_from_the_tool() {
    let action = definition::read();
    let steps = action["runs"]["steps"].to_string();
    for input in keys(&action["inputs"]) {
        assert!(
            steps.contains(&format!("${{{{ inputs.{input} }}}}")),
            "{input}"
        );
    }
    assert_eq!(keys(&action["outputs"]), OUTPUTS);
    for output in OUTPUTS {
        let expected = format!("${{{{ steps.push.outputs.{output} }}}}");
        assert_eq!(action["outputs"][output]["value"], expected);
    }
}

/// Whoever pins the action pins the tool.
#[test]
fn the_action_installs_the_version_that_it_belongs_to() {
    let action = definition::read();
    assert_eq!(action["inputs"]["version"]["default"], "");
    assert_eq!(action["runs"]["steps"][0]["env"]["OWN_VERSION"], VERSION);
}

/// The first cells of a table's rows, without the marks of code.
fn first_cells(text: &str, heading: &str) -> Vec<String> {
    let (_, section) = text.split_once(heading).expect("the heading is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned()))
        .collect()
}

#[test]
fn the_page_tells_every_input_and_output() {
    let action = definition::read();
    let page = text("docs/action.md");
    assert_eq!(first_cells(&page, "\n## Inputs\n"), keys(&action["inputs"]));
    assert_eq!(
        first_cells(&page, "\n## Outputs\n"),
        keys(&action["outputs"])
    );
    let default = format!("in this one {VERSION}");
    assert!(page.contains(&default), "{default}");
}

/// The examples on the page use inputs and outputs that there are.
#[test]
fn the_pages_examples_are_workflows() {
    let action = definition::read();
    let page = text("docs/action.md");
    let mut uses = 0;
    for block in page.split("```yaml\n").skip(1) {
        let (block, _) = block.split_once("\n```").expect("a block ends");
        let workflow = definition::parse(block);
        for job in workflow["jobs"].as_object().expect("jobs").values() {
            for step in job["steps"].as_array().expect("steps") {
                let named = step["uses"].as_str().unwrap_or_default();
                if named.starts_with("actions/download-artifact@") {
                    let needed = job["needs"].as_str().expect("a job before it");
                    let before = workflow["jobs"][needed]["steps"].to_string();
                    assert!(before.contains("actions/upload-artifact@"), "{block}");
                }
                let is_ours = step["uses"]
                    .as_str()
                    .is_some_and(|uses| uses.contains("/ghcr-push@"));
                if is_ours {
                    uses += 1;
                    assert_eq!(job["permissions"]["packages"], "write", "{block}");
                    for input in keys(&step["with"]) {
                        assert!(!action["inputs"][input].is_null(), "{input} is no input");
                    }
                }
            }
        }
        for output in block.split("steps.push.outputs.").skip(1) {
            let end = |character: char| !character.is_ascii_lowercase() && character != '-';
            let output = output.split(end).next().unwrap_or_default();
            assert!(OUTPUTS.contains(&output), "{output} is no output");
        }
    }
    assert!(uses >= 3, "{uses}");
}
