//! The part of JSON Schema that `docs/output.schema.json` uses (<https://json-schema.org/draft/2020-12>).
//!
//! Stricter than the standard where that serves the test: a keyword that is not known here is a problem, and so
//! is a key of the output that the schema does not describe.

use std::collections::BTreeSet;

use serde_json::Value;

/// What only tells people something.
const ANNOTATIONS: [&str; 4] = ["$schema", "$defs", "title", "description"];

/// A schema.
pub(super) struct Schema(Value);

impl Schema {
    /// That of the documentation.
    pub(super) fn documented() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/output.schema.json");
        let text = std::fs::read_to_string(path).expect("it is there");
        Self(serde_json::from_str(&text).expect("it is JSON"))
    }

    /// What is wrong with a value that is to be what `$defs` calls `name`, or with any output if that is empty.
    pub(super) fn problems(&self, name: &str, value: &Value) -> Vec<String> {
        let schema = match name {
            "" => &self.0,
            name => &self.0["$defs"][name],
        };
        self.at("$", schema, value)
    }

    /// What is wrong with the value at one place, keys that nothing describes included.
    fn at(&self, place: &str, schema: &Value, value: &Value) -> Vec<String> {
        let mut described = BTreeSet::new();
        let mut problems = self.check(place, schema, value, &mut described);
        // Elsewhere these would only follow from the first problem.
        if problems.is_empty()
            && let Some(object) = value.as_object()
        {
            let unknown = object.keys().filter(|key| !described.contains(*key));
            problems.extend(unknown.map(|key| format!("{place}.{key} is not described")));
        }
        problems
    }

    fn check(
        &self,
        place: &str,
        schema: &Value,
        value: &Value,
        described: &mut BTreeSet<String>,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        for (keyword, wanted) in schema.as_object().expect("a schema is an object") {
            let is_held = match keyword.as_str() {
                "type" => has_type(wanted, value),
                "const" => wanted == value,
                "enum" => list(wanted).contains(value),
                "minimum" => value
                    .as_i64()
                    .is_none_or(|value| value >= wanted.as_i64().expect("a minimum is a number")),
                "required" => list(wanted).iter().all(|key| {
                    let key = key.as_str().expect("a key is text");
                    value
                        .as_object()
                        .is_none_or(|object| object.contains_key(key))
                }),
                "properties" => {
                    for (key, schema) in wanted.as_object().expect("properties are an object") {
                        described.insert(key.clone());
                        if let Some(value) = value.get(key) {
                            problems.extend(self.at(&format!("{place}.{key}"), schema, value));
                        }
                    }
                    true
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        problems.extend(self.at(&format!("{place}[{index}]"), wanted, item));
                    }
                    true
                }
                "$ref" => {
                    problems.extend(self.check(place, self.referred(wanted), value, described));
                    true
                }
                "allOf" => {
                    for schema in list(wanted) {
                        problems.extend(self.check(place, schema, value, described));
                    }
                    true
                }
                "oneOf" => {
                    problems.extend(self.one_of(place, list(wanted), value, described));
                    true
                }
                annotation => ANNOTATIONS.contains(&annotation),
            };
            if !is_held {
                problems.push(format!("{place} does not hold {keyword}: {wanted}"));
            }
        }
        problems
    }

    fn one_of(
        &self,
        place: &str,
        schemas: &[Value],
        value: &Value,
        described: &mut BTreeSet<String>,
    ) -> Vec<String> {
        let mut held = 0;
        let mut all = Vec::new();
        for schema in schemas {
            let mut own = BTreeSet::new();
            let problems = self.check(place, schema, value, &mut own);
            if problems.is_empty() {
                held += 1;
                described.append(&mut own);
            }
            all.extend(problems);
        }
        match held {
            1 => Vec::new(),
            0 => all,
            several => vec![format!("{place} is {several} things at once")],
        }
    }

    fn referred(&self, reference: &Value) -> &Value {
        let path = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let path = path.expect("a reference leads into the schema itself");
        self.0.pointer(path).expect("it leads somewhere")
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    let is = |wanted: &Value| match wanted.as_str().expect("a type is text") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known here"),
    };
    match wanted {
        Value::Array(wanted) => wanted.iter().any(is),
        wanted => is(wanted),
    }
}
