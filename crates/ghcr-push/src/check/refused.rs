//! What a check tells where not all may be pushed.

use oci_archive::Content;
use oci_push::{Failure, PlanError, Reference};
use serde_json::{Value, json};

use crate::caution::Caution;
use crate::content;
use crate::dry_run;
use crate::error::CliError;
use crate::explain::Attempt;
use crate::keychain::Found;
use crate::reference::{first_of_each_repository, is_same_repository};

/// Why a push would not be taken.
pub(super) struct Refused {
    /// What decides the exit code.
    pub(super) first: CliError,
    /// The same of further repositories.
    pub(super) others: Vec<CliError>,
    /// What people are told of the references beside: which may be pushed all the same, and what would become of them.
    pub(super) lines: Vec<String>,
    /// What `--json` tells beside the failure: the keys and their values.
    pub(super) told: Value,
}

impl From<CliError> for Box<Refused> {
    fn from(first: CliError) -> Self {
        Self::new(Refused {
            first,
            others: Vec::new(),
            lines: Vec::new(),
            told: json!({ "findings": [] }),
        })
    }
}

/// A failure as `--json` tells it, with the keys that a check adds or tells otherwise.
pub(super) fn with_told(mut failure: Value, told: &Value) -> Value {
    for (key, value) in told.as_object().into_iter().flatten() {
        failure[key] = value.clone();
    }
    failure
}

/// What is told where no credential was found, so that nothing was asked. Of several repositories it is not told which
/// of them has none.
pub(super) fn without_credential(
    references: &[Reference],
    content: Option<&Content>,
    error: CliError,
) -> Box<Refused> {
    let diagnosis = json!(error.diagnosis);
    let mut refused: Box<Refused> = error.into();
    if first_of_each_repository(references).len() == 1 {
        let entry = |one: &Reference| {
            let mut entry = entry(one, content, true, None);
            entry["diagnosis"] = diagnosis.clone();
            entry
        };
        refused.told["references"] = references.iter().map(entry).collect();
    }
    refused
}

/// What is told where not every repository may be pushed to, `None` if there are no refusals.
pub(super) fn of_repositories(
    attempt: &Attempt<'_>,
    references: &[Reference],
    cautions: &[Caution],
    refusals: Vec<(&Reference, CliError)>,
) -> Option<Box<Refused>> {
    let of = |reference: &Reference| {
        let mut refusals = refusals.iter();
        refusals.find(|(other, _)| is_same_repository(other, reference))
    };
    let entry = |one: &Reference| {
        let refusal = of(one).map(|(_, error)| error);
        let credentials = Some(attempt.credentials);
        let mut entry = entry(one, attempt.content, refusal.is_some(), credentials);
        entry["diagnosis"] = json!(refusal.and_then(|error| error.diagnosis.as_ref()));
        entry
    };
    let told = json!({
        "references": references.iter().map(entry).collect::<Vec<_>>(),
        "findings": cautions.iter().map(finding).collect::<Vec<_>>(),
    });
    let allowed = references.iter().filter(|one| of(one).is_none());
    let lines = allowed.map(allowed_line).collect();
    let mut errors = refusals.into_iter().map(|(_, error)| error);
    Some(Box::new(Refused {
        first: errors.next()?,
        others: errors.collect(),
        lines,
        told,
    }))
}

/// What is told where every repository may be pushed to, but what a push would do cannot be found out, or `--no-clobber`
/// would refuse it.
pub(super) fn of_plan(
    attempt: &Attempt<'_>,
    references: &[Reference],
    cautions: &[Caution],
    error: PlanError,
) -> Box<Refused> {
    let PlanError { plan, failure } = error;
    let message = match &failure {
        Failure::Exists { reference, .. } => format!("a push to {reference} would fail"),
        _ => "what would be sent cannot be found out".to_owned(),
    };
    let is_refused = |one: &Reference| dry_run::is_refused(&plan, one);
    let entry = |one: &Reference| {
        let credentials = Some(attempt.credentials);
        let mut entry = entry(one, attempt.content, is_refused(one), credentials);
        let mut planned = plan.references.iter();
        let planned = planned.find(|planned| planned.reference == *one);
        let previous = planned.and_then(|planned| planned.previous.as_ref());
        entry["previousDigest"] = json!(previous.map(ToString::to_string));
        entry
    };
    let told = json!({
        "references": references.iter().map(entry).collect::<Vec<_>>(),
        "findings": cautions.iter().map(finding).collect::<Vec<_>>(),
        "plan": dry_run::json(&plan),
    });
    let allowed = references.iter().filter(|one| !is_refused(one));
    let mut lines: Vec<String> = allowed.map(allowed_line).collect();
    lines.extend(dry_run::lines(&plan));
    Box::new(Refused {
        first: CliError::of_failure(message, failure),
        others: Vec::new(),
        lines,
        told,
    })
}

/// What `--json` tells of a reference where not all are allowed.
fn entry(
    reference: &Reference,
    content: Option<&Content>,
    has_failed: bool,
    credentials: Option<&Found>,
) -> Value {
    json!({
        "reference": reference.to_string(),
        "digest": content.and_then(content::digest).map(ToString::to_string),
        "status": if has_failed { "failed" } else { "allowed" },
        "previousDigest": null,
        "credential": credentials.map(|found| credential(found, reference)),
        "diagnosis": null,
    })
}

pub(super) fn allowed_line(reference: &Reference) -> String {
    format!("{reference} may be pushed")
}

pub(super) fn finding(one: &Caution) -> Value {
    json!({ "code": one.code, "message": one.text })
}

/// The credential that a push would use, null if there is none.
pub(super) fn credential(credentials: &Found, reference: &Reference) -> Value {
    let found = credentials.of(reference);
    found.map_or(Value::Null, |found| {
        json!({
            "source": found.facts.source,
            "kind": found.facts.kind.describe(),
            "username": found.credentials.username,
        })
    })
}
