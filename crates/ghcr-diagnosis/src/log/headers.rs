//! The headers of an answer, where a tool shows them.

use super::lines::Line;

/// Those that explain a refusal, in lower case.
const EVIDENCE: [&str; 6] = [
    "retry-after",
    "x-accepted-oauth-scopes",
    "x-github-sso",
    "x-oauth-scopes",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// The headers of the answer with this status that is the nearest above line `index`, or begins there.
pub(super) fn near(lines: &[Line], index: usize, status: Option<u16>) -> Vec<(String, String)> {
    /// How many lines an answer takes, with its body.
    const LONGEST: usize = 40;
    let Some(status) = status else {
        return Vec::new();
    };
    let stream = &lines[index].stream;
    let first = index.saturating_sub(LONGEST);
    let mut above = (first..=index)
        .rev()
        .filter_map(|at| Some((at, answered(&lines[at].text)?)));
    let Some((head, found)) = above.next() else {
        return Vec::new();
    };
    // An answer to another request.
    if found != status || lines[head].stream.is_apart(stream) {
        return Vec::new();
    }
    let last = (head + LONGEST).min(lines.len());
    let below = lines[head + 1..last].iter();
    below
        .take_while(|line| answered(&line.text).is_none())
        .filter(|line| !line.stream.is_apart(stream))
        .filter_map(|line| header(&line.text))
        .collect()
}

/// The status in the head of an answer: `< HTTP/2 403` of curl, `HTTP/2.0 403 Forbidden` of crane, `< Response Status:
/// "403 Forbidden"` of ORAS (<https://github.com/oras-project/oras/blob/v1.0.0/internal/trace/transport.go>).
fn answered(text: &str) -> Option<u16> {
    let lower = text.trim_start_matches(['<', ' ']).to_ascii_lowercase();
    let rest = if let Some(rest) = lower.strip_prefix("response status:") {
        rest
    } else {
        // A date may stand before it.
        let (before, rest) = lower.split_once("http/")?;
        let is_date = !before.contains(|c: char| c.is_ascii_alphabetic());
        rest.split_once(' ').filter(|_| is_date)?.1
    };
    let rest = rest.trim_start_matches([' ', '"']);
    let end = rest.find(|c: char| !c.is_ascii_digit());
    rest[..end.unwrap_or(rest.len())].parse().ok()
}

/// A header that explains a refusal: `< retry-after: 60`, `"Retry-After": "60"`.
fn header(text: &str) -> Option<(String, String)> {
    const MARKS: [char; 5] = ['<', '"', ' ', '[', ']'];
    let (name, value) = text.split_once(':')?;
    let name = name.trim_matches(MARKS).to_ascii_lowercase();
    let value = value.trim_matches(MARKS);
    EVIDENCE
        .contains(&name.as_str())
        .then(|| (name, value.to_owned()))
}
