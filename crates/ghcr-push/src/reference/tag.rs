//! What is a tag, and what to write instead of one with a slash, as a branch's name often has.

use crate::error::CliError;

/// The longest tag.
const LONGEST: usize = 128;

/// The distribution specification's grammar of a tag ("Pulling manifests").
pub(super) fn is_tag(tag: &str) -> bool {
    let mut bytes = tag.bytes();
    let starts_well = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_');
    starts_well
        && tag.len() <= LONGEST
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The refusal of something that is to be a tag; `repository` is the one in which it would be.
pub(super) fn refused(tag: &str, written: &str, repository: &str) -> CliError {
    if tag.contains('/') {
        let error = CliError::usage(format!("the tag {tag:?} has a slash, which no tag has"));
        return error.hint(advice(&format!("{repository}:{}", without_slashes(tag))));
    }
    CliError::usage(format!("{tag:?} in {written:?} is no tag")).hint(
        "a tag has up to 128 letters, digits, underscores, dots and hyphens, and begins with none of \
         the last two",
    )
}

/// What to write instead of a reference whose tag has a slash, and how to come by it.
pub(super) fn advice(whole: &str) -> String {
    format!(
        "write {whole}; for a branch's name in a workflow, ${{GITHUB_REF_NAME//\\//-}} in bash, or a tag that \
         docker/metadata-action makes"
    )
}

/// Splits a reference in two at the colon before a tag that has a slash, `None` if it has no such tag. The host, which
/// may have a port, is what stands before the first slash.
pub(super) fn with_slash(written: &str) -> Option<(&str, &str)> {
    let name_start = written.find('/')? + 1;
    let colon = name_start + written[name_start..].find(':')?;
    let tag = &written[colon + 1..];
    (tag.contains('/') && !tag.contains(':')).then_some((&written[..colon], tag))
}

/// The tag that is most like one with slashes: of a ref's full name only what it is called by.
pub(super) fn without_slashes(tag: &str) -> String {
    let name = ["refs/heads/", "refs/tags/", "refs/"]
        .iter()
        .find_map(|prefix| tag.strip_prefix(prefix))
        .unwrap_or(tag);
    let replaced: String = name
        .chars()
        .map(|character| match character {
            '_' | '.' => character,
            _ if character.is_ascii_alphanumeric() => character,
            _ => '-',
        })
        .collect();
    let tag = replaced.trim_start_matches(['.', '-']);
    let tag = &tag[..tag.len().min(LONGEST)];
    if tag.is_empty() { "TAG" } else { tag }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_with_a_slash() {
        for (written, expected) in [
            ("ghcr.io/o/n:feature/x", Some(("ghcr.io/o/n", "feature/x"))),
            (
                "localhost:5000/o/n:a/b/c",
                Some(("localhost:5000/o/n", "a/b/c")),
            ),
            ("[::1]:5000/o/n:a/b", Some(("[::1]:5000/o/n", "a/b"))),
            ("o/n:a/b", Some(("o/n", "a/b"))),
            ("localhost:5000/o/n", None),
            ("localhost:5000/o/n:1", None),
            ("[::1]:5000/o/n", None),
            ("ghcr.io/o/n:1", None),
            ("ghcr.io/o:5000/n:1", None),
            ("name:1", None),
        ] {
            assert_eq!(with_slash(written), expected, "{written}");
        }
    }

    #[test]
    fn the_tag_that_is_most_like_it() {
        let long = format!("a/{}", "b".repeat(200));
        for (tag, expected) in [
            ("feature/x", "feature-x"),
            ("1/merge", "1-merge"),
            ("a/b/c.d_e", "a-b-c.d_e"),
            ("refs/heads/a/b", "a-b"),
            ("refs/tags/v1", "v1"),
            ("refs/pull/1/merge", "pull-1-merge"),
            ("/x", "x"),
            ("a/ä b", "a---b"),
            ("/", "TAG"),
            (&long, &format!("a-{}", "b".repeat(126))),
        ] {
            let replaced = without_slashes(tag);
            assert_eq!(replaced, expected, "{tag}");
            assert!(is_tag(&replaced), "{replaced}");
        }
    }
}
