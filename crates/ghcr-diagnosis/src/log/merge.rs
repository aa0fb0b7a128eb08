//! One refusal, however often tools repeat it.

use std::collections::HashMap;

use crate::evidence::Evidence;
use crate::place::Place;

/// How many of those that are known a refusal is compared with. Tools repeat soon.
const LOOK_BACK: usize = 200;

/// The refusals of a log, in the order of their first lines.
#[derive(Default)]
pub(super) struct Refusals {
    known: Vec<Known>,
    /// Where in `known` those of a repository are, and under the empty name those of none.
    by_repository: HashMap<String, Vec<usize>>,
}

/// A refusal with what it is compared by.
struct Known {
    evidence: Evidence,
    key: Key,
    /// The first line that tells it.
    first: usize,
    /// The last one.
    last: usize,
}

/// What tells refusals apart, got ready once.
struct Key {
    repository: Option<String>,
    /// In lower case, without the stop at the end.
    words: String,
}

impl Refusals {
    /// Adds a refusal of line `line`, or what it tells more of one that is known.
    pub(super) fn add(&mut self, new: Evidence, line: usize) {
        let key = Key::of(&new);
        let same = self
            .candidates(&key)
            .filter(|index| is_same(&self.known[*index], &new, &key))
            .max();
        let index = if let Some(index) = same {
            let known = &mut self.known[index];
            known.last = line;
            complete(&mut known.evidence, new);
            let before = known.key.repository.take();
            known.key = Key::of(&known.evidence);
            if known.key.repository == before {
                return;
            }
            index
        } else {
            self.known.push(Known {
                evidence: new,
                key,
                first: line,
                last: line,
            });
            self.known.len() - 1
        };
        let repository = self.known[index].key.repository.clone();
        let place = self.by_repository.entry(repository.unwrap_or_default());
        place.or_default().push(index);
    }

    /// The refusals in order, with what `pushed_before` tells of each and its first line, and `pushed_after` of its last.
    pub(super) fn into_evidence(
        self,
        pushed_before: impl Fn(usize, &Evidence) -> Option<String>,
        pushed_after: impl Fn(usize, &Evidence) -> Option<String>,
    ) -> Vec<Evidence> {
        let with_success = |known: Known| Evidence {
            pushed_before: pushed_before(known.first, &known.evidence),
            pushed_later: pushed_after(known.last, &known.evidence),
            ..known.evidence
        };
        self.known.into_iter().map(with_success).collect()
    }

    /// Those that may be the same, the latest of each kind.
    fn candidates(&self, key: &Key) -> impl Iterator<Item = usize> {
        let latest = |repository: &str| {
            let places = self.by_repository.get(repository).map(Vec::as_slice);
            let places = places.unwrap_or_default().iter().rev().take(LOOK_BACK);
            places.copied().collect::<Vec<usize>>()
        };
        let found = if let Some(repository) = &key.repository {
            [latest(repository), latest("")].concat()
        } else {
            let count = self.known.len();
            (count.saturating_sub(LOOK_BACK)..count).collect()
        };
        found.into_iter()
    }
}

impl Key {
    fn of(evidence: &Evidence) -> Self {
        let words = evidence.words().to_lowercase();
        Self {
            repository: repository(evidence),
            words: words.trim_end_matches(['.', ' ']).to_owned(),
        }
    }
}

/// Whether nothing tells the two apart, and their words are the same, or one has none.
fn is_same(known: &Known, new: &Evidence, key: &Key) -> bool {
    let Known {
        evidence, key: own, ..
    } = known;
    agree(own.repository.as_ref(), key.repository.as_ref())
        && agree(evidence.status.as_ref(), new.status.as_ref())
        && agree(evidence.trouble.as_ref(), new.trouble.as_ref())
        && evidence.trouble.is_some() == new.trouble.is_some()
        && agree(host(evidence).as_ref(), host(new).as_ref())
        && (own.words.starts_with(&key.words) || key.words.starts_with(&own.words))
        && (agree(evidence.step.as_ref(), new.step.as_ref()) || !key.words.is_empty())
}

fn agree<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
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
    fill(&mut known.client, new.client);
    if known.reference.is_some() {
        known.candidates.clear();
    }
    for candidate in new.candidates {
        if known.reference.is_none() && !known.candidates.contains(&candidate) {
            known.candidates.push(candidate);
        }
    }
    if known.headers.is_empty() {
        known.headers = new.headers;
    }
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
