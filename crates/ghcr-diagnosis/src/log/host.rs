//! Which registry was asked, where its address stands and where it does not.

use super::lines::Line;
use super::reference::{self, Use};
use crate::place::{Place, repository_of_path};
use crate::rules::is_lookalike;

/// GitHub's registry, if the line or one of those before it names it and nothing else.
pub(super) fn named(lines: &[Line], index: usize, is_pull: bool) -> Option<String> {
    let first = index.saturating_sub(10);
    let mut near = lines[first..=index]
        .iter()
        .rev()
        .filter(|line| is_pull || reference::use_of(&line.text) != Use::Pull);
    near.find_map(|line| {
        line.text
            .split(|c: char| !is_of_a_name(c))
            .map(|word| word.trim_matches('.').to_lowercase())
            .find(|word| {
                word == "ghcr.io" || DOCKER_HUB.contains(&word.as_str()) || is_lookalike(word)
            })
    })
}

/// Whether a host's name may have the character, or what stands in a longer name that only ends like a host's.
fn is_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '.' | '-' | '_')
}

/// The host that all the references are at, if there is one.
pub(super) fn of_all(references: &[String]) -> Option<String> {
    let mut hosts = references
        .iter()
        .map(|reference| Place::of_reference(reference).map(|place| place.host));
    let first = hosts.next()??;
    hosts
        .all(|host| host.as_ref() == Some(&first))
        .then_some(first)
}

/// Names of Docker Hub's registry and of its token service.
const DOCKER_HUB: [&str; 4] = [
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "auth.docker.io",
];

/// The registry's host, as references name it, of a host that was asked.
pub(super) fn of_registry(host: &str) -> &str {
    match host {
        "auth.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}

/// The tag or the digest that the URL asks for, with what stands before it in a reference.
pub(super) fn end_of(url: &str) -> Option<String> {
    let (_, end) = url.rsplit_once("/manifests/")?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    if end.is_empty() || end.contains("..") || !end.bytes().all(is_plain) {
        return None;
    }
    let mark = if end.contains(':') { '@' } else { ':' };
    Some(format!("{mark}{end}"))
}

/// The repository of Amazon's registry that a refusal names:
/// `... on resource: arn:aws:ecr:us-west-2:123456789012:repository/owner/app`
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html>).
pub(super) fn of_amazon(text: &str) -> Option<Place> {
    let (_, resource) = text.split_once("on resource: arn:")?;
    let resource = resource.split_whitespace().next()?;
    let mut parts = resource.split(':').skip(1);
    let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?);
    let repository = parts.next()?.strip_prefix("repository/")?;
    (service == "ecr").then(|| Place {
        host: format!("{account}.dkr.ecr.{region}.amazonaws.com").to_lowercase(),
        repository: repository.to_owned(),
    })
}

pub(super) fn of_url(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?']).next()?;
    // The port that is meant anyway.
    let host = host.strip_suffix(":443").unwrap_or(host);
    Some(host.to_lowercase())
}

/// `/v2/owner/app/blobs/uploads/ in ghcr.io`, as containers/image writes it.
pub(super) fn relative(text: &str) -> Option<Place> {
    let (_, rest) = text.split_once(" /v2/")?;
    let path = rest.split_whitespace().next()?;
    let host = rest
        .split_once(" in ")
        .and_then(|(_, after)| after.split([':', ' ']).next())
        .filter(|host| host.contains('.') || *host == "localhost")
        .unwrap_or_default();
    Some(Place {
        host: host.to_owned(),
        repository: repository_of_path(path)?,
    })
}
