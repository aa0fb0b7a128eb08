//! What a mistyped word was probably meant to be.

use std::path::Path;

/// What a letter that is missing, too many or wrong costs.
const SLIP: usize = 2;
/// What two letters in the wrong order cost: less, so that `adm64` is rather `amd64` than `arm64`.
const EXCHANGE: usize = 1;

/// The candidate that a word is a few slips away from; nothing if several are as near, or all are far.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let allowed = match word.chars().count() {
        0..=2 => return None,
        3..=4 => SLIP,
        5..=9 => 2 * SLIP,
        _ => 3 * SLIP,
    };
    let measured = candidates
        .into_iter()
        .map(|candidate| (cost(word, candidate), candidate));
    let mut near: Vec<(usize, &str)> = measured.filter(|(cost, _)| *cost <= allowed).collect();
    near.sort_unstable();
    near.dedup();
    match near.as_slice() {
        // What is there is not what is looked for.
        [(0, _), ..] | [] => None,
        [(cost, _), (next, _), ..] if cost == next => None,
        [(_, candidate), ..] => Some(candidate),
    }
}

/// Operating systems and architectures that are none mistyped, and architectures' variants: the words of Go, which
/// images are described with (<https://github.com/opencontainers/image-spec/blob/main/config.md#properties>,
/// <https://go.dev/doc/install/source#environment>).
const PLATFORM_WORDS: [&str; 42] = [
    "386",
    "aix",
    "amd64",
    "android",
    "arm",
    "arm64",
    "darwin",
    "dragonfly",
    "freebsd",
    "illumos",
    "ios",
    "js",
    "linux",
    "loong64",
    "mips",
    "mips64",
    "mips64le",
    "mipsle",
    "netbsd",
    "openbsd",
    "plan9",
    "ppc64",
    "ppc64le",
    "riscv64",
    "s390x",
    "solaris",
    "sparc64",
    "unknown",
    "v1",
    "v2",
    "v3",
    "v4",
    "v5",
    "v6",
    "v7",
    "v8",
    "v9",
    "wasip1",
    "wasm",
    "windows",
    "x86_64",
    "aarch64",
];

/// The platform that a mistyped one was probably meant to be. One that exists is not mistyped: where `linux/arm64` is
/// asked for, `linux/amd64` is no answer, however near.
pub(crate) fn nearest_platform<'a>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = nearest(wanted, candidates)?;
    let words: Vec<&str> = wanted.split('/').collect();
    let meant: Vec<&str> = near.split('/').collect();
    let is_known = |word: &str| PLATFORM_WORDS.contains(&word);
    let is_mistyped = |(word, meant): (&&str, &&str)| word == meant || !is_known(word);
    let is_slip = words.len() == meant.len() && words.iter().zip(&meant).all(is_mistyped);
    is_slip.then_some(near)
}

/// The path of the file in the same directory whose name is nearest to that of a path that is not there.
pub(crate) fn nearest_file(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let parent = path.parent().unwrap_or(Path::new(""));
    let directory = if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    };
    let entries = std::fs::read_dir(directory).ok()?;
    let names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let near = nearest(name, names.iter().map(String::as_str))?;
    Some(parent.join(near).display().to_string())
}

/// What it costs to make one word of the other: the distance of optimal string alignment
/// (<https://en.wikipedia.org/wiki/Damerau%E2%80%93Levenshtein_distance>), with weights.
fn cost(word: &str, other: &str) -> usize {
    let word: Vec<char> = word.chars().collect();
    let other: Vec<char> = other.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).map(|length| length * SLIP).collect()];
    for (row, letter) in word.iter().enumerate() {
        let mut current = vec![(row + 1) * SLIP];
        for (column, opposite) in other.iter().enumerate() {
            let above = rows[row][column + 1] + SLIP;
            let left = current[column] + SLIP;
            let replaced = rows[row][column] + if letter == opposite { 0 } else { SLIP };
            let mut least = above.min(left).min(replaced);
            let is_exchanged =
                row > 0 && column > 0 && *letter == other[column - 1] && word[row - 1] == *opposite;
            if is_exchanged {
                least = least.min(rows[row - 1][column - 1] + EXCHANGE);
            }
            current.push(least);
        }
        rows.push(current);
    }
    rows[word.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::{cost, nearest, nearest_file, nearest_platform};

    #[test]
    fn distances() {
        for (word, other, expected) in [
            ("", "", 0),
            ("", "abc", 6),
            ("abc", "abc", 0),
            ("adm64", "amd64", 1),
            ("adm64", "arm64", 2),
            ("kitten", "sitting", 6),
            ("ca", "abc", 6),
            ("größe", "grösse", 4),
        ] {
            assert_eq!(cost(word, other), expected, "{word} {other}");
            assert_eq!(cost(other, word), expected, "{other} {word}");
        }
    }

    #[test]
    fn the_nearest() {
        for (word, candidates, expected) in [
            (
                "linux/adm64",
                &["linux/amd64", "linux/arm64"][..],
                Some("linux/amd64"),
            ),
            ("BOGUS", &["JOBS", "TAG", "JSON"], None),
            ("TAGG", &["TAG", "TAGS"], None),
            ("PLATFORMS", &["PLATFORM", "PROGRESS"], Some("PLATFORM")),
            ("TAG", &["TAG"], None),
            ("ab", &["abc"], None),
            ("abcd", &[], None),
        ] {
            assert_eq!(
                nearest(word, candidates.iter().copied()),
                expected,
                "{word}"
            );
        }
    }

    #[test]
    fn the_nearest_platform() {
        for (wanted, candidates, expected) in [
            ("linux/arm64", &["linux/amd64"][..], None),
            ("linux/amd64", &["linux/arm64"], None),
            ("linux/arm", &["linux/arm64"], None),
            ("linux/mips64", &["linux/mips64le"], None),
            ("linux/ppc64", &["linux/ppc64le"], None),
            ("linux/arm/v7", &["linux/arm/v6"], None),
            ("linux/arm/v7", &["linux/arm64"], None),
            ("windows/amd64", &["windows/arm64"], None),
            ("netbsd/amd64", &["openbsd/amd64"], None),
            (
                "linux/adm64",
                &["linux/amd64", "linux/arm64"],
                Some("linux/amd64"),
            ),
            ("linux/arn64", &["linux/arm64"], Some("linux/arm64")),
            ("linx/amd64", &["linux/amd64"], Some("linux/amd64")),
            ("linx/arm64", &["linux/amd64"], None),
        ] {
            let near = nearest_platform(wanted, candidates.iter().copied());
            assert_eq!(near, expected, "{wanted}");
        }
    }

    #[test]
    fn the_nearest_file_of_a_directory() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("image.tar"), "").expect("writable");
        std::fs::write(path("notes.txt"), "").expect("writable");
        let expected = path("image.tar").display().to_string();
        assert_eq!(nearest_file(&path("iamge.tar")), Some(expected));
        assert_eq!(nearest_file(&path("other.bin")), None);
        assert_eq!(nearest_file(&path("absent/image.tar")), None);
    }
}
