//! Lines in which a tool takes a reference for none, and asks nobody.

use super::reference;
use crate::evidence::Trouble;

/// What tools say of a name with upper case letters, in lower case.
const UPPERCASE: [&str; 5] = [
    // https://github.com/distribution/reference/blob/main/reference.go
    "repository name must be lowercase",
    // https://github.com/distribution/reference/blob/main/normalize.go
    ") must be lowercase",
    // https://github.com/regclient/regclient/blob/main/types/ref/ref.go
    "repo must be lowercase",
    // https://github.com/google/go-containerregistry/blob/main/pkg/name/check.go
    "repository can only contain the characters",
    "repository can only contain the runes",
];

/// What tools say of any text that is no reference, in lower case.
const INVALID: [&str; 3] = [
    "invalid reference format",
    // https://github.com/oras-project/oras/issues/679
    "invalid reference: invalid ",
    // https://github.com/apptainer/apptainer/issues/2272
    "could not parse reference: ",
];

/// What is wrong with the reference, by a line and the same in lower case.
pub(super) fn heard(text: &str, lower: &str) -> Option<Trouble> {
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    let is_named = says(&UPPERCASE);
    if !is_named && !says(&INVALID) {
        return None;
    }
    let named = reference::in_text(text).into_iter().next();
    let name = named.map(|named| named.reference);
    let quoted = name.or_else(|| repository(text));
    // Of such a set of characters anything else may be missing: `localhost:5000` has a colon.
    let is_set = lower.contains("can only contain the ");
    let is_uppercase = if is_set || !is_named {
        quoted.is_some_and(|name| has_uppercase(&name))
    } else {
        true
    };
    Some(Trouble::InvalidReference { is_uppercase })
}

/// Whether a reference's name, its tag apart, has upper case letters.
fn has_uppercase(reference: &str) -> bool {
    let start = reference.rfind('/').map_or(0, |slash| slash + 1);
    let end = reference[start..]
        .find([':', '@'])
        .map_or(reference.len(), |end| start + end);
    reference[..end].bytes().any(|b| b.is_ascii_uppercase())
}

/// The repository that a tool names without its host: `repository name (Owner/app) must be lowercase`,
/// `invalid repository "Owner/app"`, `repository can only contain the characters ...: Owner/app`.
pub(super) fn repository(text: &str) -> Option<String> {
    let after = |mark: &str| Some(text.split_once(mark)?.1);
    let name = after("repository name (")
        .and_then(|rest| rest.split(')').next())
        .or_else(|| after("invalid repository \"")?.split('"').next())
        .or_else(|| {
            after("repository can only contain the ")?
                .rsplit(": ")
                .next()
        })?;
    let is_name = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b));
    (is_name && name.contains('/')).then(|| name.to_owned())
}
