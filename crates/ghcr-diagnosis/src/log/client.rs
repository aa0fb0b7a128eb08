//! Which tool was refused.

use super::lines::Line;
use crate::context::Client;

/// What tells a tool, in lower case. The first that a line has counts, so that what calls another tool comes after it.
const MARKS: [(&str, Client); 23] = [
    ("kubelet", Client::Kubelet),
    ("imagepullbackoff", Client::Kubelet),
    ("podman", Client::Podman),
    ("buildah", Client::Podman),
    ("skopeo", Client::Podman),
    ("initiating layer upload to", Client::Podman),
    ("requesting bearer token", Client::Podman),
    ("initializing source docker://", Client::Podman),
    ("trying to reuse blob", Client::Podman),
    ("nerdctl", Client::Nerdctl),
    ("regctl", Client::Regctl),
    ("regsync", Client::Regctl),
    ("oras ", Client::Oras),
    ("oras.", Client::Oras),
    ("crane ", Client::Crane),
    ("helm ", Client::Helm),
    ("buildx", Client::Docker),
    ("failed to solve", Client::Docker),
    ("exporting to image", Client::Docker),
    ("response from daemon", Client::Docker),
    ("docker ", Client::Docker),
    ("docker-compose", Client::Docker),
    ("the push refers to repository", Client::Docker),
];

/// The tool that the line names, else the nearest of those around.
pub(super) fn near(lines: &[Line], index: usize) -> Option<Client> {
    const BEFORE: usize = 20;
    const AFTER: usize = 5;
    let before = lines[index.saturating_sub(BEFORE)..=index].iter().rev();
    let after = lines[index + 1..].iter().take(AFTER);
    before.chain(after).find_map(named)
}

fn named(line: &Line) -> Option<Client> {
    let lower = line.text.to_ascii_lowercase();
    let mark = MARKS.iter().find(|(mark, _)| lower.contains(mark));
    mark.map(|(_, client)| *client)
}
