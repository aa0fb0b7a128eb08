//! References of which a line says less than all, and what they are in full.

use super::lines::Line;
use crate::place::Place;

/// The reference to which `BuildKit` got a token to push before the refusal, if it is the only one:
/// `[auth] owner/app:pull,push token for ghcr.io`. What failed then need not be named.
pub(super) fn authorized(before: &[Line], asked: Option<&Place>) -> Option<String> {
    let mut found: Option<String> = None;
    for line in before {
        let Some((_, rest)) = line.text.split_once("[auth] ") else {
            continue;
        };
        let Some((scopes, host)) = rest.split_once(" token for ") else {
            continue;
        };
        let host = super::host::of_registry(host.split_whitespace().next()?);
        let scopes = scopes.split_whitespace();
        for name in scopes.filter_map(|scope| scope.strip_suffix(":pull,push")) {
            if asked.is_some_and(|asked| asked.repository != name) {
                continue;
            }
            let reference = format!("{host}/{name}");
            if found.as_ref().is_some_and(|known| *known != reference) {
                return None;
            }
            found = Some(reference);
        }
    }
    found
}

/// The reference that is pushed under a name without a registry's host, which is Docker Hub's then
/// (<https://github.com/distribution/reference/blob/main/normalize.go>): `failed to push owner/app:1:`.
pub(super) fn of_docker_hub(text: &str) -> Option<String> {
    const COMMANDS: [&str; 3] = ["failed to push ", "docker push ", "nerdctl push "];
    let rest = COMMANDS
        .iter()
        .find_map(|command| Some(text.split_once(command)?.1))?;
    let word = rest.split_whitespace().next()?;
    let name = word.trim_end_matches([':', '"', '\'', ',']);
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-/:@".contains(&byte);
    let first = name.split('/').next()?;
    // A host that no name follows is not one of Docker Hub's names either.
    let tag = if name.contains('/') { "" } else { ":" };
    let first = first
        .split_once(tag)
        .filter(|_| !tag.is_empty())
        .map_or(first, |(name, _)| name);
    let has_host = first.contains(['.', ':']) || first == "localhost";
    // Git fails to push, too: some refs.
    let is_image = name.contains(['/', ':']) && name.bytes().all(is_plain) && !name.contains("//");
    (is_image && !has_host && name.starts_with(|c: char| c.is_ascii_alphanumeric())).then(|| {
        let library = if name.contains('/') { "" } else { "library/" };
        format!("docker.io/{library}{name}")
    })
}
