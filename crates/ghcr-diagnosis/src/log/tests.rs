//! Logs of other tools as they were published, with where, and what is found in them.

mod answers;
mod blind;
mod frames;
mod malformed;
mod names;
mod others;
mod published;
mod pulls;
mod quoted;
mod shapes;
mod streams;
mod tools;
mod unreached;

use expect_test::Expect;

use super::recognise;
use crate::{Context, Evidence, diagnose};

/// What is known of each refusal, a line each, and what is made of it without any other fact.
#[track_caller]
fn check(log: &str, expected: &Expect) {
    expected.assert_eq(&found(log));
}

fn found(log: &str) -> String {
    recognise(log).iter().map(told).collect()
}

fn told(evidence: &Evidence) -> String {
    let diagnosis = diagnose(evidence, &Context::default());
    let code = diagnosis.map_or("none", |diagnosis| diagnosis.code.as_str());
    let shown = |value: Option<&str>| value.unwrap_or("-").to_owned();
    let words: Vec<String> = evidence
        .errors
        .iter()
        .map(|error| format!("{}: {}", error.code, error.message))
        .collect();
    let rest = evidence
        .body
        .clone()
        .or_else(|| Some(format!("{:?}", evidence.trouble.as_ref()?)));
    let pull = if evidence.is_pull { "pull: " } else { "" };
    format!(
        "{pull}{} {} {} {} {} | {}{} | {code}\n",
        shown(evidence.status.map(|status| status.to_string()).as_deref()),
        shown(evidence.method.as_deref()),
        shown(evidence.step.map(oci_push::Step::as_str)),
        shown(evidence.host.as_deref()),
        shown(evidence.reference.as_deref()),
        words.join("; "),
        rest.unwrap_or_default(),
    )
}
