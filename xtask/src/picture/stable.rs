//! What differs from run to run, replaced by what a run at 8.4 MB a second and connection would show.

use super::screen::{Line, plain, text};

/// The rate of one connection, and of the three that send.
const RATE: &str = "8.4 MB/s";
const RATE_OF_ALL: &str = "25.2 MB/s";

/// A screen with progress in full: three blobs under way, and the total. Blobs that began at the same moment
/// are sorted by size, as they are started.
pub(super) fn progress(mut lines: Vec<Line>) -> Option<Vec<Line>> {
    let first = lines.iter().position(|line| text(line).contains(" ["))?;
    let texts: Vec<String> = lines[first..].iter().map(text).collect();
    let (total, blobs) = texts.split_last()?;
    let is_full = blobs.len() == 3
        && blobs.iter().all(|line| line.contains(" uploading "))
        && total.ends_with(" left");
    if !is_full {
        return None;
    }
    lines.truncate(first);
    let mut blobs: Vec<String> = blobs
        .iter()
        .map(|line| after(line, " uploading ", RATE))
        .collect();
    blobs.sort_by_key(|line| std::cmp::Reverse(tenths(line)));
    // The total's rate and time stand behind its second size.
    let sizes = total.rfind(" MB ").map(|at| &total[..at + " MB ".len()])?;
    let total = format!("{sizes}{RATE_OF_ALL}, 3 s left");
    lines.extend(blobs.iter().chain([&total]).map(|line| plain(line)));
    Some(lines)
}

/// The last lines of a push.
pub(super) fn summary(text: &str) -> String {
    between(text, " in ", " s", "4.1")
}

/// The lines of a refusal.
pub(super) fn failure(text: &str) -> String {
    const REQUEST_ID: &str = "C0DE:12EF34:567890:9ABCDE:";
    match text.split_once(REQUEST_ID) {
        Some((before, _)) => format!("{before}{REQUEST_ID}0000002B"),
        None => text.to_owned(),
    }
}

/// A line that ends with something else after a mark.
fn after(line: &str, mark: &str, value: &str) -> String {
    match line.split_once(mark) {
        Some((before, _)) => format!("{before}{mark}{value}"),
        None => line.to_owned(),
    }
}

/// A line with another number between two marks.
fn between(line: &str, start: &str, end: &str, value: &str) -> String {
    let parts = line.split_once(start).and_then(|(before, rest)| {
        let (number, rest) = rest.split_once(end)?;
        let is_number = number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        is_number.then(|| format!("{before}{start}{value}{end}{rest}"))
    });
    parts.unwrap_or_else(|| line.to_owned())
}

/// The size of a blob of some MB, in tenths.
fn tenths(line: &str) -> u64 {
    let size = line.split_once(" MB/").map_or("", |(_, rest)| rest);
    let digits = size.split(' ').next().unwrap_or_default().replace('.', "");
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_chance() {
        for (given, expected) in [
            (
                "6 of 6 blobs uploaded; 49 requests in 9.42 s",
                "6 of 6 blobs uploaded; 49 requests in 4.1 s",
            ),
            ("pushed in vain for 2 s", "pushed in vain for 2 s"),
        ] {
            assert_eq!(summary(given), expected);
        }
        assert_eq!(
            failure("  request id: C0DE:12EF34:567890:9ABCDE:00000039"),
            "  request id: C0DE:12EF34:567890:9ABCDE:0000002B"
        );
    }

    #[test]
    fn progress_in_full() {
        let screen = |rows: [&str; 5]| rows.iter().map(|row| plain(row)).collect::<Vec<Line>>();
        let full = screen([
            "credential for ghcr.io: GITHUB_TOKEN",
            "aaaaaaaaaaaa   [==  ]    8.4 MB/25.2 MB uploading 7.9 MB/s",
            "bbbbbbbbbbbb   [=   ]    8.4 MB/41.9 MB uploading 8.0 MB/s",
            "cccccccccccc   [=== ]    8.4 MB/12.6 MB uploading 8.1 MB/s",
            "2/5 blobs      [=   ]   25.2 MB/79.7 MB 57.1 MB/s, 1 s left",
        ]);
        let expected = screen([
            "credential for ghcr.io: GITHUB_TOKEN",
            "bbbbbbbbbbbb   [=   ]    8.4 MB/41.9 MB uploading 8.4 MB/s",
            "aaaaaaaaaaaa   [==  ]    8.4 MB/25.2 MB uploading 8.4 MB/s",
            "cccccccccccc   [=== ]    8.4 MB/12.6 MB uploading 8.4 MB/s",
            "2/5 blobs      [=   ]   25.2 MB/79.7 MB 25.2 MB/s, 3 s left",
        ]);
        assert_eq!(progress(full.clone()), Some(expected));
        let cleared = full[..3].to_vec();
        assert_eq!(progress(cleared), None);
    }
}
