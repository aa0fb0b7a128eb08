//! The body of an answer, where a line shows it.

use oci_push::RegistryError;
use serde_json::Value;

use super::spoken::{shortened, trimmed};

/// The registry's own list of errors, if the line holds it.
pub(super) fn envelope(line: &str) -> Vec<RegistryError> {
    let Some(start) = line
        .find("{\"errors\"")
        .or_else(|| line.find("{ \"errors\""))
    else {
        return Vec::new();
    };
    let mut values = serde_json::Deserializer::from_str(&line[start..]).into_iter::<Value>();
    let Some(Ok(value)) = values.next() else {
        return cut_off(&line[start..]);
    };
    let text = |value: &Value| shortened(value.as_str().unwrap_or_default()).to_owned();
    let errors = value["errors"].as_array().map(Vec::as_slice);
    errors
        .unwrap_or_default()
        .iter()
        .filter(|error| error.is_object())
        .map(|error| RegistryError {
            code: text(&error["code"]),
            message: text(&error["message"]),
            detail: (!error["detail"].is_null())
                .then(|| shortened(&error["detail"].to_string()).to_owned()),
        })
        .collect()
}

/// The first error of a list that a log broke off.
fn cut_off(list: &str) -> Vec<RegistryError> {
    let field = |name: &str| {
        let (_, value) = list.split_once(&format!("\"{name}\":"))?;
        let value = value.trim_start().strip_prefix('"')?;
        value
            .split('"')
            .next()
            .map(|value| shortened(value).to_owned())
    };
    let error = field("code").map(|code| RegistryError {
        code,
        message: field("message").unwrap_or_default(),
        detail: None,
    });
    error.into_iter().collect()
}

/// A body that docker shows because it is no list of errors.
pub(super) fn body(line: &str, lower: &str) -> Option<String> {
    const FRAME: &str = "http response body: \"";
    let start = lower.find(FRAME)? + FRAME.len();
    Some(trimmed(&line[start..])).filter(|body| !body.is_empty())
}

/// A page of HTML.
pub(super) fn page(line: &str, lower: &str) -> Option<String> {
    let start = ["<html", "<!doctype html", "<head>"]
        .iter()
        .filter_map(|start| lower.find(start))
        .min()?;
    Some(trimmed(&line[start..]))
}

/// A body in JSON that is no list of errors, such as those of GitHub's API, as it is written:
/// `403 Forbidden: {"message":"Account suspended"}`.
pub(super) fn object(line: &str) -> Option<String> {
    /// No line has more that could begin one.
    const MOST: usize = 8;
    /// What a service says, and what whoever wrote a whole line as JSON says.
    const KEYS: [&str; 2] = ["message", "documentation_url"];
    const OTHERS: [&str; 5] = ["level", "severity", "time", "timestamp", "ts"];
    line.match_indices('{').take(MOST).find_map(|(at, _)| {
        let mut values = serde_json::Deserializer::from_str(&line[at..]).into_iter::<Value>();
        let value = values.next()?.ok()?;
        let has = |keys: &[&str]| keys.iter().any(|key| value[*key].is_string());
        let end = at + values.byte_offset();
        (at > 0 && has(&KEYS) && !has(&OTHERS)).then(|| shortened(&line[at..end]).to_owned())
    })
}
