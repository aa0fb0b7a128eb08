//! YAML as a JSON value.

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

/// Reads one document without anchors; says what is wrong with it.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut events = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|error| error.to_string())?;
        events.push(event);
    }
    let mut events = events.into_iter().filter(|event| {
        !matches!(
            event,
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_)
        )
    });
    let value = node(&mut events)?;
    match events.next() {
        Some(Event::DocumentEnd) => Ok(value),
        other => Err(format!("{other:?} after the document")),
    }
}

fn node<'a>(events: &mut impl Iterator<Item = Event<'a>>) -> Result<Value, String> {
    let event = events.next();
    after(event, events)
}

fn after<'a>(
    event: Option<Event<'a>>,
    events: &mut impl Iterator<Item = Event<'a>>,
) -> Result<Value, String> {
    match event {
        Some(Event::Scalar(text, ..)) => Ok(Value::String(text.into_owned())),
        Some(Event::SequenceStart(..)) => {
            let mut items = Vec::new();
            loop {
                match events.next() {
                    Some(Event::SequenceEnd) => return Ok(Value::Array(items)),
                    other => items.push(after(other, events)?),
                }
            }
        }
        Some(Event::MappingStart(..)) => {
            let mut entries = Map::new();
            loop {
                let key = match events.next() {
                    Some(Event::MappingEnd) => return Ok(Value::Object(entries)),
                    Some(Event::Scalar(key, ..)) => key.into_owned(),
                    other => return Err(format!("{other:?} as a key")),
                };
                // GitHub refuses a file that says something twice; most parsers take the last.
                if entries.contains_key(&key) {
                    return Err(format!("{key} twice"));
                }
                let value = node(events)?;
                entries.insert(key, value);
            }
        }
        other => Err(format!("{other:?} as a value")),
    }
}

#[test]
fn values() {
    for text in ["a: [1\nb: 2\n", "a:\n\tb: c\n", "a: b: c\n"] {
        assert!(read(text).is_err(), "{text}");
    }
    let value = read("permissions: {}\njobs: {a: [1, 'b']}\nrun: |\n  c\n").expect("YAML");
    assert_eq!(
        value,
        serde_json::json!({ "permissions": {}, "jobs": { "a": ["1", "b"] }, "run": "c\n" })
    );
    assert_eq!(read("a: 1\na: 2\n"), Err("a twice".to_owned()));
}
