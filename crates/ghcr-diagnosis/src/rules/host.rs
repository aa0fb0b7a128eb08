//! It was the wrong host, or the reference lacks its owner.
//!
//! `ghrc.io` has been seen live and asking for credentials
//! (<https://news.hada.io/topic?go=comments&id=22718>). A reference without an owner is answered with 400
//! to the look for a blob (<https://github.com/docker/build-push-action/issues/1111>).

use super::credential;
use crate::case::Case;
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::place::Place;

const REGISTRY: &str = "ghcr.io";

/// Hosts that are ghcr.io mistyped by more than one letter.
const LOOKALIKES: [&str; 2] = ["gcrh.io", "ghcr.com"];

/// What differs from ghcr.io by one letter and is not mistaken for it: Google's registry, and a file of Go's.
const OTHERS: [&str; 2] = ["gcr.io", "ghcr.go"];

/// Whether a host is not GitHub's registry but named so that it is taken for it.
#[must_use]
pub fn is_lookalike(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    let name = name.as_str();
    LOOKALIKES.contains(&name) || (is_one_slip_away(name) && !OTHERS.contains(&name))
}

/// Whether one letter more, less, other or swapped with its neighbour makes `name` the registry's.
fn is_one_slip_away(name: &str) -> bool {
    let (name, registry) = (name.as_bytes(), REGISTRY.as_bytes());
    let common =
        |left: &mut dyn Iterator<Item = (&u8, &u8)>| left.take_while(|(a, b)| a == b).count();
    let before = common(&mut name.iter().zip(registry));
    let after = common(&mut name.iter().rev().zip(registry.iter().rev()));
    let longest = name.len().max(registry.len());
    if name.len().abs_diff(registry.len()) == 1 {
        return before + after >= longest - 1;
    }
    if name.len() != registry.len() || name == registry {
        return false;
    }
    let is_swap = before + after == longest - 2
        && name.get(before) == registry.get(before + 1)
        && name.get(before + 1) == registry.get(before);
    before + after == longest - 1 || is_swap
}

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    lookalike(case).or_else(|| without_owner(case))
}

fn lookalike(case: &Case) -> Option<Diagnosis> {
    let reference = case.evidence.reference.as_deref();
    let named = reference.and_then(Place::of_reference);
    let asked = named
        .map(|place| place.host)
        .into_iter()
        .chain(case.evidence.host.clone())
        .find(|host| is_lookalike(host))?;
    let name = case.context.full_name();
    let explanation = Cause {
        code: Code::LookalikeHost,
        likelihood: Likelihood::Proven,
        why: format!("{asked} is not GitHub's registry, which is ghcr.io"),
        evidence: case.basics(),
        remedy: format!(
            "Write ghcr.io/{name}. If a credential was sent to {asked}, revoke it now: hosts of such names have \
             been seen collecting them."
        ),
        url: Some(crate::page::tokens(&case.context)),
    };
    Diagnosis::of(
        format!("{asked} only looks like ghcr.io"),
        vec![explanation],
    )
}

fn without_owner(case: &Case) -> Option<Diagnosis> {
    let status = case.evidence.status;
    if !matches!(status, Some(400 | 403 | 404) | None) {
        return None;
    }
    let url = case.evidence.url.as_deref();
    let place = url.and_then(Place::of_url).or_else(|| {
        let reference = case.evidence.reference.as_deref()?;
        Place::of_reference(reference)
    })?;
    let ours = place.host == "ghcr.io" || place.host.starts_with("containers.");
    let (owner, package) = place.owner_and_package();
    if !ours || !owner.is_empty() || package.starts_with('/') {
        return None;
    }
    // An empty variable in front of the name, or one that the log hides.
    let is_empty = place.repository.is_empty() || place.repository.starts_with('/');
    let package = package.trim_matches('/').to_owned();
    let owner = case.context.actions.as_ref().and_then(|actions| {
        let (owner, _) = actions.repository.split_once('/')?;
        Some(owner.to_lowercase())
    });
    let owner = owner.as_deref().unwrap_or("OWNER");
    let host = &place.host;
    let (named, written) = match package.as_str() {
        "" => ("the package", "NAME"),
        package => (package, package),
    };
    let answer = case.answer();
    let shown = if package.is_empty() {
        format!("nothing stands after {host}/")
    } else if is_empty {
        format!("nothing stands between the slashes of {host}//{package}")
    } else if answer.is_some() {
        format!("the request was for the repository \"{package}\", which has one component")
    } else {
        format!("\"{package}\" has one component, and nobody was asked")
    };
    let evidence = answer.into_iter().chain([shown]).collect();
    let explanation = Cause {
        code: Code::ReferenceWithoutOwner,
        likelihood: if is_empty {
            Likelihood::Likely
        } else {
            Likelihood::Proven
        },
        why: if is_empty {
            format!("what should name the owner of {named} is empty, or the log hides it")
        } else {
            format!("{host}/{package} names a package but no owner")
        },
        evidence,
        remedy: format!(
            "Write {host}/{owner}/{written}, with the user or organization that the package belongs to."
        ),
        url: None,
    };
    let mut causes = vec![explanation];
    if is_empty && let Some(other) = credential::diagnose(case) {
        causes.extend(other.causes);
    }
    Diagnosis::of("the reference names no owner", causes)
}
