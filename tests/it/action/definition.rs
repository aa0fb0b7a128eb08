//! `action.yml` as a tree, and the part of GitHub's expressions that it uses.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

use super::root;

/// The action's definition.
pub(super) fn read() -> Value {
    let text = std::fs::read_to_string(root().join("action.yml")).expect("action.yml is there");
    parse(&text)
}

/// YAML as JSON, every scalar a text.
pub(super) fn parse(text: &str) -> Value {
    // What is open, with the key that waits for its value.
    let mut open: Vec<(Value, Option<String>)> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.expect("YAML");
        let value = match event {
            Event::Scalar(text, ..) => Value::String(text.into_owned()),
            Event::SequenceStart(..) => {
                open.push((Value::Array(Vec::new()), None));
                continue;
            }
            Event::MappingStart(..) => {
                open.push((Value::Object(Map::new()), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().expect("it was opened").0,
            Event::Alias(_) => panic!("GitHub knows aliases in workflows only"),
            _ => continue,
        };
        match open.last_mut() {
            None => return value,
            Some((Value::Array(items), _)) => items.push(value),
            Some((Value::Object(entries), key)) => match key.take() {
                None => *key = value.as_str().map(str::to_owned),
                Some(key) => {
                    let twice = entries.insert(key, value);
                    assert_eq!(twice, None, "a key stands twice");
                }
            },
            Some(_) => unreachable!("only lists and mappings are opened"),
        }
    }
    panic!("there is no document");
}

/// What expressions look up: `inputs.image`, `github.token`, `steps.push.outputs.digest`.
pub(super) type Context = BTreeMap<String, String>;

/// A text with its expressions replaced. Those that are known: a name, and `a || b`
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/expressions>).
pub(super) fn evaluate(text: &str, context: &Context) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").expect("an expression is closed");
        result.push_str(before);
        let mut values = expression
            .split("||")
            .map(|name| value(name.trim(), context));
        result.push_str(values.find(|value| !value.is_empty()).unwrap_or_default());
        rest = after;
    }
    result + rest
}

fn value<'a>(name: &str, context: &'a Context) -> &'a str {
    match context.get(name) {
        Some(value) => value,
        // An output that a step did not set, or a step that did not run.
        None if name.starts_with("steps.") && name.contains(".outputs.") => "",
        None => panic!("{name} is not known here"),
    }
}

#[test]
fn expressions() {
    let context = Context::from([
        ("inputs.a".to_owned(), "one".to_owned()),
        ("inputs.b".to_owned(), String::new()),
    ]);
    for (text, expected) in [
        ("plain", "plain"),
        ("${{ inputs.a }}", "one"),
        (
            "<${{ inputs.b || inputs.a }}> ${{steps.x.outputs.y}}",
            "<one> ",
        ),
    ] {
        assert_eq!(evaluate(text, &context), expected);
    }
}
