//! Lines that name two images, one to be copied to the other.

use super::reference::{Named, Use};

/// Whether what stands before a reference makes it the destination of a copy: `copying layers and metadata from "A" to
/// "B"`, in buildah's words (<https://github.com/containers/buildah/blob/main/push.go>), or `src=A tgt=B`, in
/// regctl's fields (<https://github.com/regclient/regclient/issues/907>).
pub(super) fn is_copied_to(before: &str, has_source: bool) -> bool {
    let close = before.trim_end_matches(['"', '\'', ' ']);
    let close = close.strip_suffix("docker://").unwrap_or(close);
    let close = close.trim_end_matches(['"', '\'', ' ']);
    let says = |words: &[&str]| words.iter().any(|word| before.contains(word));
    let is_sentence = close.ends_with(" to") && says(&["copying ", "pushing "]);
    let is_field = close.ends_with(" tgt=") || close.ends_with(" target=");
    has_source && (is_sentence || is_field)
}

/// Puts the destination of a copy before its sources, unless reading those is what the rest of the line tells.
pub(super) fn turn_to_destination(found: &mut Vec<Named>, destination: Named, rest: &str) {
    const READS: [&str; 4] = [
        "reading ",
        "initializing source",
        "failed to get ",
        "failed to read blob",
    ];
    let reads = READS.iter().any(|word| rest.contains(word));
    for source in &mut *found {
        source.use_ = Use::Pull;
    }
    let at = if reads { found.len() } else { 0 };
    if found.first() != Some(&destination) {
        found.insert(at, destination);
    }
}
