//! Secrets that are known by how they are written, whoever they belong to.
//!
//! A log that is explained, and an answer that is quoted, may hold credentials that this program was never given.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::clean::HIDDEN;

/// What GitHub's tokens begin with. Any word that begins so is hidden, ours or not
/// (<https://github.blog/changelog/2021-03-31-authentication-token-format-updates-are-generally-available>).
const TOKENS: [&str; 6] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"];

/// The same in Base64, where they stand at its beginning.
const ENCODED_TOKENS: [&str; 6] = [
    "Z2hwX",
    "Z2hvX",
    "Z2h1X",
    "Z2hzX",
    "Z2hyX",
    "Z2l0aHViX3BhdF",
];

/// Schemes of the header `Authorization` (<https://www.rfc-editor.org/rfc/rfc9110#section-11.6.2>).
const SCHEMES: [&str; 2] = ["basic ", "bearer "];

/// Parameters of a query, or a form, whose values are secrets.
const PARAMETERS: [&str; 12] = [
    "access_token",
    "refresh_token",
    "id_token",
    "token",
    "password",
    "client_secret",
    "sig",
    "signature",
    "x-amz-signature",
    "x-amz-security-token",
    "x-goog-signature",
    "_state",
];

/// From this length on a run of the characters of Base64 can hold a token.
const SHORTEST_ENCODED: usize = 16;

/// `text` without the secrets.
pub(super) fn hide(text: &str) -> String {
    let mut hidden = text.to_owned();
    for prefix in TOKENS {
        hidden = hide_words(&hidden, prefix, |c| {
            c.is_ascii_alphanumeric() || "_.-".contains(c)
        });
    }
    hidden = hide_authorizations(&hidden);
    hidden = hide_user_information(&hidden);
    hidden = hide_parameters(&hidden);
    hidden = hide_encoded(&hidden);
    for prefix in ENCODED_TOKENS {
        hidden = hide_words(&hidden, prefix, is_encoded);
    }
    hidden
}

/// The characters of Base64, in both alphabets (<https://www.rfc-editor.org/rfc/rfc4648>).
fn is_encoded(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+/_-=".contains(character)
}

/// Hides every run of characters that begins with `prefix` and goes on after it.
fn hide_words(text: &str, prefix: &str, belongs: fn(char) -> bool) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(prefix) {
        let (before, word) = rest.split_at(start);
        let end = word.find(|c| !belongs(c)).unwrap_or(word.len());
        hidden.push_str(before);
        hidden.push_str(if end > prefix.len() { HIDDEN } else { prefix });
        rest = &word[end.max(prefix.len())..];
    }
    hidden.push_str(rest);
    hidden
}

/// Hides what follows the name of a scheme, unless that is a word of a sentence or a parameter of a challenge.
fn hide_authorizations(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut hidden = String::with_capacity(text.len());
    let mut from = 0;
    while let Some((at, scheme)) = SCHEMES
        .iter()
        .filter_map(|scheme| Some((from + lower[from..].find(scheme)?, scheme)))
        .min()
    {
        let start = at + scheme.len();
        let rest = &text[start..];
        let end = rest
            .find(|c: char| !(is_encoded(c) || ".~".contains(c)))
            .unwrap_or(rest.len());
        hidden.push_str(&text[from..start]);
        let value = &rest[..end];
        hidden.push_str(if is_ordinary(value) { value } else { HIDDEN });
        from = start + end;
    }
    hidden.push_str(&text[from..]);
    hidden
}

/// Whether a value is a word, or the beginning of `realm="..."`.
fn is_ordinary(value: &str) -> bool {
    /// No English word that follows is as long.
    const LONGEST_WORD: usize = 15;
    let word = value.trim_end_matches(['=', '.', '-']);
    let rest = word
        .strip_prefix(|c: char| c.is_ascii_uppercase())
        .unwrap_or(word);
    let is_word = rest.bytes().all(|byte| byte.is_ascii_lowercase())
        || word.bytes().all(|byte| byte.is_ascii_uppercase());
    word.len() <= LONGEST_WORD && is_word
}

/// Hides the user name and password before a host.
fn hide_user_information(text: &str) -> String {
    const MARK: &str = "://";
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        let start = at + MARK.len();
        hidden.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest
            .find(|c: char| c.is_whitespace() || "/?#\"'`<>".contains(c))
            .unwrap_or(rest.len());
        // A short name alone is no secret: `ssh://git@host`.
        if let Some(host) = rest[..end].rfind('@')
            && (rest[..host].contains(':') || host >= SHORTEST_ENCODED)
        {
            hidden.push_str(HIDDEN);
            rest = &rest[host..];
        }
    }
    hidden.push_str(rest);
    hidden
}

/// Hides the values of secret parameters.
fn hide_parameters(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['?', '&']) {
        hidden.push_str(&rest[..=at]);
        rest = &rest[at + 1..];
        let Some((name, value)) = rest.split_once('=') else {
            break;
        };
        if PARAMETERS
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
        {
            let end = value
                .find(|c: char| c.is_whitespace() || "&\"'`<>#".contains(c))
                .unwrap_or(value.len());
            hidden.push_str(name);
            hidden.push('=');
            hidden.push_str(if end > 0 { HIDDEN } else { "" });
            rest = &value[end..];
        }
    }
    hidden.push_str(rest);
    hidden
}

/// Hides Base64 that holds one of GitHub's tokens, wherever in it: `auth` in docker's configuration is that of user and
/// token.
fn hide_encoded(text: &str) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    let belongs = |c: char| is_encoded(c) && c != '=';
    while let Some(start) = rest.find(belongs) {
        let (before, run) = rest.split_at(start);
        let end = run.find(|c| !belongs(c)).unwrap_or(run.len());
        hidden.push_str(before);
        let padding = run[end..].len() - run[end..].trim_start_matches('=').len();
        let (end, word) = if holds_token(&run[..end]) {
            (end + padding, HIDDEN)
        } else {
            (end, &run[..end])
        };
        hidden.push_str(word);
        rest = &run[end..];
    }
    hidden.push_str(rest);
    hidden
}

fn holds_token(run: &str) -> bool {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    if run.len() < SHORTEST_ENCODED {
        return false;
    }
    // What is cut off is decoded as far as it goes.
    let whole = &run[..run.len() - usize::from(run.len() % 4 == 1)];
    let engines = [
        GeneralPurpose::new(&alphabet::STANDARD, LENIENT),
        GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT),
    ];
    engines
        .iter()
        .filter_map(|engine| engine.decode(whole).ok())
        .any(|bytes| {
            TOKENS.iter().any(|token| {
                bytes
                    .windows(token.len())
                    .any(|part| part == token.as_bytes())
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden() {
        for (text, expected) in [
            ("a ghp_abc.DEF-1, b", "a [redacted], b"),
            (
                "tokens begin with ghs_ there",
                "tokens begin with ghs_ there",
            ),
            (
                "Authorization: Basic b2N0bzpzZWNyZXQ= x",
                "Authorization: Basic [redacted] x",
            ),
            (
                "-H 'authorization: bearer abcdefsecretbearer123'",
                "-H 'authorization: bearer [redacted]'",
            ),
            (
                "Bearer djE6abc/+==, Basic dTpw",
                "Bearer [redacted], Basic [redacted]",
            ),
            (
                "https://user:pw@ghcr.io/v2/ and ssh://git@github.com/a",
                "https://[redacted]@ghcr.io/v2/ and ssh://git@github.com/a",
            ),
            (
                "https://0123456789abcdef0123@ghcr.io",
                "https://[redacted]@ghcr.io",
            ),
            (
                "GET https://ghcr.io/token?service=ghcr.io&access_token=SECRETVALUE123456: DENIED",
                "GET https://ghcr.io/token?service=ghcr.io&access_token=[redacted] DENIED",
            ),
            (
                "/upload/1?_state=secret&digest=sha256:00",
                "/upload/1?_state=[redacted]&digest=sha256:00",
            ),
            // ghp_, gho_, ghu_, ghs_, github_pat_, and user:ghp_ in Base64.
            ("is Z2hwX0FCQ0RFRkdI it", "is [redacted] it"),
            ("Z2hvX0FCQ0RFRkdI", "[redacted]"),
            ("Z2h1X0FCQ0RFRkdI", "[redacted]"),
            ("x=Z2hzX0FCQ0RFRkdI", "x=[redacted]"),
            ("Z2l0aHViX3BhdF8xMUFC", "[redacted]"),
            ("auth=b2N0bzpnaHBfQUJDREVGR0g= x", "auth=[redacted] x"),
            (
                "\"auth\":\"b2N0bzpnaHBfQUJDREVGR0g=\"",
                "\"auth\":\"[redacted]\"",
            ),
        ] {
            assert_eq!(hide(text), expected);
        }
    }

    /// What only looks alike is needed.
    #[test]
    fn kept() {
        for text in [
            "Requesting bearer token: invalid status code",
            "www-authenticate: Bearer realm=\"https://ghcr.io/token\",service=\"ghcr.io\"",
            "Bearer service=\"ghcr.io\"",
            "no basic auth credentials; Basic Authentication is meant",
            "docker://ghcr.io/owner/app@sha256:0123",
            "https://ghcr.io/token?scope=repository%3Aacme%2Fweb%3Apush&service=ghcr.io",
            "sha256:986bc37b7c3dd3de94a9a1cc759547408b48ac1db8b3e23c21919500c5064a71",
            "ghcr.io/some-organization/some-application/with/a/long/path",
            "what? yes & no = maybe",
        ] {
            assert_eq!(hide(text), text);
        }
    }
}
