//! The tool takes the reference for none, so that nobody was asked.
//!
//! Names are of lower case letters
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests>), while GitHub's
//! expressions keep the case of an account's name
//! (<https://github.com/docker/build-push-action/blob/master/TROUBLESHOOTING.md>).

use crate::case::Case;
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::evidence::Trouble;
use crate::place::Place;
use crate::rules::is_lookalike;

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    let Some(Trouble::InvalidReference { is_uppercase }) = case.evidence.trouble else {
        return None;
    };
    let reference = case.evidence.reference.as_deref();
    let place = reference.and_then(Place::of_reference);
    // A host that is mistaken for GitHub's is worse than a wrong name.
    if place.is_some_and(|place| is_lookalike(&place.host)) {
        return None;
    }
    let is_shown = reference.is_some_and(|reference| has_uppercase(in_parts(reference).0));
    if is_uppercase || is_shown {
        Diagnosis::of(
            "the reference has upper case letters, and nothing was sent",
            vec![uppercase(case)],
        )
    } else {
        Diagnosis::of(
            "what the tool was given is no reference, and nothing was sent",
            vec![incomplete(case)],
        )
    }
}

fn cause(likelihood: Likelihood, why: String, evidence: &str, remedy: String) -> Cause {
    Cause {
        code: Code::ReferenceInvalid,
        likelihood,
        why,
        evidence: vec![evidence.to_owned()],
        remedy,
        url: None,
    }
}

fn uppercase(case: &Case) -> Cause {
    let reference = case.evidence.reference.as_deref();
    let given = reference.unwrap_or("the reference");
    let (name, end) = in_parts(given);
    let is_shown = has_uppercase(name);
    let (what, write) = match reference {
        Some(_) if is_shown => (
            format!("{given} has upper case letters"),
            format!("Write {}{end}.", name.to_lowercase()),
        ),
        Some(_) => (
            format!("{given}, in a part that the log hides, has upper case letters"),
            "Write that part in lower case.".to_owned(),
        ),
        None => (
            "the reference has upper case letters".to_owned(),
            "Write it in lower case.".to_owned(),
        ),
    };
    let why = format!(
        "{what}, and names of repositories have none. The tool asked nobody: permissions are not the matter"
    );
    let mut remedy = format!("{write} Tags may keep their case.");
    if case.evidence.host.as_deref().is_none_or(is_githubs) {
        remedy.push_str(&in_workflow(reference));
    }
    cause(
        Likelihood::Proven,
        why,
        "the tool tells that it takes no such name for a reference",
        remedy,
    )
}

fn is_githubs(host: &str) -> bool {
    host == "ghcr.io" || host.starts_with("containers.") || host.ends_with(".pkg.github.com")
}

/// How a workflow gets the name in lower case.
fn in_workflow(reference: Option<&str>) -> String {
    let place = reference.and_then(Place::of_reference);
    let name = place.as_ref().map_or(("ghcr.io", "NAME"), |place| {
        let (_, package) = place.owner_and_package();
        (place.host.as_str(), package)
    });
    let (host, package) = name;
    format!(
        "\nA workflow that makes the name of `github.repository_owner` or `github.repository` has to lower it, since \
         both keep the account's case. This step does, and the image is {host}/${{{{ env.OWNER }}}}/{package} then:\n\n    \
         - run: echo \"OWNER=${{GITHUB_REPOSITORY_OWNER,,}}\" >> \"$GITHUB_ENV\"\n      shell: bash\n\n\
         docker/metadata-action and ghcr-push lower names themselves."
    )
}

fn incomplete(case: &Case) -> Cause {
    let given = case.evidence.reference.as_deref();
    let what = given.unwrap_or("what stands for the reference");
    cause(
        Likelihood::Likely,
        format!(
            "{what} is no reference to the tool, most often since a variable in it is empty, or has a blank or another \
             character that no name has. Nobody was asked: permissions are not the matter"
        ),
        "the tool tells that the reference's format is invalid",
        "Print the reference in the step before (`echo`), and look which part is missing or odd: HOST/OWNER/NAME:TAG, \
         all but the tag in lower case."
            .to_owned(),
    )
}

fn has_uppercase(name: &str) -> bool {
    name.bytes().any(|b| b.is_ascii_uppercase())
}

/// Host and name, and what stands behind them.
fn in_parts(reference: &str) -> (&str, &str) {
    let start = reference.rfind('/').map_or(0, |slash| slash + 1);
    let end = reference[start..]
        .find([':', '@'])
        .map_or(reference.len(), |end| start + end);
    reference.split_at(end)
}
