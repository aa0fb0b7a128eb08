//! One refusal, however often tools repeat it.

use crate::evidence::Evidence;
use crate::place::Place;

/// Adds a refusal, or what it tells more of one that is known.
pub(super) fn add(refusals: &mut Vec<Evidence>, new: Evidence) {
    match refusals.iter_mut().rev().find(|known| is_same(known, &new)) {
        Some(known) => complete(known, new),
        None => refusals.push(new),
    }
}

/// Whether nothing tells the two apart, and their words are the same, or one has none.
fn is_same(known: &Evidence, new: &Evidence) -> bool {
    agree(known.status.as_ref(), new.status.as_ref())
        && agree(known.trouble.as_ref(), new.trouble.as_ref())
        && known.trouble.is_some() == new.trouble.is_some()
        && agree(repository(known).as_ref(), repository(new).as_ref())
        && agree(host(known).as_ref(), host(new).as_ref())
        && same_words(&known.words(), &new.words())
        && (agree(known.step.as_ref(), new.step.as_ref()) || !new.words().is_empty())
}

fn agree<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

fn same_words(one: &str, other: &str) -> bool {
    let plain = |words: &str| words.trim_end_matches(['.', ' ']).to_lowercase();
    let (one, other) = (plain(one), plain(other));
    one.starts_with(&other) || other.starts_with(&one)
}

fn repository(evidence: &Evidence) -> Option<String> {
    let reference = evidence.reference.as_deref();
    reference
        .and_then(Place::of_reference)
        .or_else(|| evidence.url.as_deref().and_then(Place::of_url))
        .map(|place| place.repository)
}

/// The host, Docker Hub's by one of its names.
fn host(evidence: &Evidence) -> Option<&str> {
    let host = evidence.host.as_deref()?;
    let is_hub = host.ends_with(".docker.io");
    Some(if is_hub { "docker.io" } else { host })
}

/// Fills what `known` lacks.
fn complete(known: &mut Evidence, new: Evidence) {
    fill(&mut known.step, new.step);
    fill(&mut known.method, new.method);
    fill(&mut known.host, new.host);
    fill(&mut known.url, new.url);
    fill(&mut known.reference, new.reference);
    fill(&mut known.status, new.status);
    fill(&mut known.body, new.body);
    fill(&mut known.request_id, new.request_id);
    fill(&mut known.anonymous, new.anonymous);
    fill(&mut known.seconds, new.seconds);
    fill(&mut known.granted, new.granted);
    known.is_pull |= new.is_pull;
    let is_bare = known.errors.iter().all(|error| error.message.is_empty());
    if is_bare && !new.errors.is_empty() {
        known.errors = new.errors;
    } else if let ([error], [other]) = (known.errors.as_mut_slice(), new.errors.as_slice())
        && error.code.is_empty()
    {
        error.code = other.code.clone();
    }
}

fn fill<T>(known: &mut Option<T>, new: Option<T>) {
    if known.is_none() {
        *known = new;
    }
}
