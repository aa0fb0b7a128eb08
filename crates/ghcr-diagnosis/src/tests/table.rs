//! The registry's verbatim words, each with where it was seen, and the codes that they lead to.

mod advice;
mod credentials;
mod facts;
mod limits;
mod locks;
mod pages;
mod pulls;
mod runs;
mod whose;
mod words;

use super::support::codes;
use crate::{Context, Evidence, Likelihood, diagnose};

type Codes = &'static [(&'static str, Likelihood)];

#[track_caller]
fn check(origin: &str, evidence: &Evidence, context: &Context, expected: Codes) {
    let diagnosis = diagnose(evidence, context);
    assert_eq!(
        codes(diagnosis.as_ref()),
        expected,
        "{origin}: {evidence:?}"
    );
}
