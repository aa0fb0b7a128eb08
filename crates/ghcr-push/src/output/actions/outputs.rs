//! The outputs of the step, under the names of `docker/build-push-action` (`digest`, `imageid`, `metadata`) and
//! `redhat-actions/push-to-registry` (`registry-path`, `registry-paths`), so that a step after this one needs no change.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use oci_push::PushReport;
use serde_json::{Value, json};

/// What goes into `GITHUB_OUTPUT` after a push.
pub(super) fn of(report: &PushReport, metadata: &Value) -> String {
    let references: Vec<String> = report
        .references
        .iter()
        .map(|entry| entry.reference.to_string())
        .collect();
    let image = report.image.as_ref();
    let digest = image.map(|image| image.digest.to_string());
    let identifier = image.and_then(|image| image.config_digest.as_ref());
    let outputs = [
        ("digest", digest),
        ("imageid", identifier.map(ToString::to_string)),
        ("metadata", Some(metadata.to_string())),
        ("registry-path", references.first().cloned()),
        ("registry-paths", Some(json!(references).to_string())),
        ("tags", Some(references.join("\n"))),
    ];
    let outputs = outputs.into_iter();
    outputs
        .filter_map(|(name, value)| Some(entry(name, &value?, delimiter)))
        .collect()
}

/// An output between two lines that do not occur in its value. Whoever knew them could end the value, and set other
/// outputs by it
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings>).
pub(super) fn entry(name: &str, value: &str, mut delimiter: impl FnMut() -> String) -> String {
    let delimiter = loop {
        let delimiter = delimiter();
        if !value.contains(&delimiter) {
            break delimiter;
        }
    };
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

/// A line that nobody can foretell.
fn delimiter() -> String {
    // Keyed by the system's random numbers.
    let number = || RandomState::new().build_hasher().finish();
    format!("ghadelimiter_{:016x}{:016x}", number(), number())
}
