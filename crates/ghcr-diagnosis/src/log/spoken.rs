//! What a line says of a refusal.

use oci_push::RegistryError;

use super::tokens::{CODES, KINDS, PHRASES};
use super::{bodies, malformed, trouble};
use crate::evidence::Trouble;

/// A line's refusal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spoken {
    pub(super) status: Option<u16>,
    pub(super) errors: Vec<RegistryError>,
    pub(super) body: Option<String>,
    pub(super) trouble: Option<Trouble>,
    pub(super) anonymous: bool,
    /// Whether a login was refused, which brings a credential.
    pub(super) is_login: bool,
    /// Whether the words can only be a server's.
    pub(super) is_certain: bool,
}

impl Spoken {
    /// Whether there is a status, and nothing that a registry only says: any service may answer in JSON.
    pub(super) fn is_silent(&self) -> bool {
        let body = self.body.as_deref();
        self.status.is_some()
            && self.errors.is_empty()
            && body.is_none_or(|body| body.starts_with('{'))
            && !self.anonymous
    }
}

/// Hears a refusal in a line, if there is one.
pub(super) fn hear(line: &str) -> Option<Spoken> {
    let lower = line.to_ascii_lowercase();
    // All that docker/login-action says where its inputs are empty
    // (https://github.com/docker/login-action/blob/master/src/docker.ts).
    let words = lower.trim_start_matches("error: ");
    let lacks_login = words == "username and password required";
    // What every action says whose input is empty, and older versions of this one
    // (https://github.com/docker/login-action/issues/6).
    let lacks_input = ["username", "password"]
        .iter()
        .any(|name| words.strip_prefix("input required and not supplied: ") == Some(name));
    let mut spoken = Spoken {
        status: status(&lower),
        anonymous: lower.contains("anonymous token")
            || lower.contains("no basic auth credentials")
            || lacks_login
            || lacks_input,
        is_certain: lacks_login,
        ..Spoken::default()
    };
    let phrase = PHRASES.iter().filter_map(|phrase| lower.find(phrase)).min();
    spoken.errors = bodies::envelope(line);
    if spoken.errors.is_empty() {
        if let Some(page) = bodies::page(line, &lower) {
            spoken.body = Some(page);
            spoken.is_certain = true;
        } else if let Some(body) = bodies::body(line, &lower) {
            spoken.body = Some(body);
        } else if let Some(error) = framed(line, &lower).or_else(|| unframed(line, &lower, phrase?))
        {
            spoken.is_certain = phrase.is_some();
            spoken.errors = vec![error];
        } else if is_refused_login(&lower) {
            spoken.status.get_or_insert(401);
            spoken.is_login = true;
            spoken.errors = vec![RegistryError {
                code: "UNAUTHORIZED".to_owned(),
                message: REFUSED_LOGIN.to_owned(),
                detail: None,
            }];
        } else if spoken.status.is_some() {
            spoken.body = bodies::object(line);
        }
    } else {
        spoken.is_certain = true;
    }
    // What a daemon answers to its own caller is not what the registry answered to it.
    if lower.contains("http+docker://") || lower.contains("(http code ") {
        spoken.status = None;
    }
    if lower.contains("insufficient_scope: authorization failed") {
        spoken.status.get_or_insert(401);
    }
    if spoken.errors.is_empty() && spoken.body.is_none() {
        let heard = malformed::heard(line, &lower).or_else(|| trouble::heard(&lower));
        spoken.trouble = heard.filter(|trouble| {
            // The status may be a daemon's, which tells its caller that it reached no registry.
            *trouble != Trouble::Interrupted || spoken.status.is_none()
        });
        if spoken.trouble.is_some() {
            spoken.status = spoken.status.filter(|status| *status == 407);
        }
    }
    let is_anything = spoken.status.is_some()
        || !spoken.errors.is_empty()
        || spoken.body.is_some()
        || spoken.trouble.is_some()
        || spoken.anonymous;
    is_anything.then_some(spoken)
}

/// What containers/image makes of a 401
/// (<https://github.com/containers/image/blob/main/docker/docker_client.go>).
const REFUSED_LOGIN: &str = "invalid username/password";

/// Whether podman was refused a login: `Error: logging into "ghcr.io": invalid username/password`.
fn is_refused_login(lower: &str) -> bool {
    lower.contains("logging into \"") && lower.ends_with(REFUSED_LOGIN)
}

/// A code in front of a message: `denied: permission_denied: write_package`.
fn framed(line: &str, lower: &str) -> Option<RegistryError> {
    let spaced = lower.replace('_', " ");
    let mut found: Option<(usize, usize, &str)> = None;
    for (name, code) in CODES {
        for (at, _) in spaced.match_indices(name) {
            let end = at + name.len();
            let is_first = found.is_none_or(|(first, ..)| at < first);
            if is_first && is_frame(lower, line, at, end) {
                found = Some((at, end, code));
            }
        }
    }
    let (at, end, code) = found?;
    // Some tools put the status between: `DENIED (403): ...`, `unauthorized [http 403]: ...`.
    let rest = line[end..].trim_start();
    let rest = rest
        .strip_prefix(['(', '['])
        .and_then(|rest| rest.split_once([')', ']']))
        .map_or(rest, |(_, rest)| rest);
    let message = match rest.strip_prefix(':') {
        // A quotation in prose ends where it began.
        Some(message) if before_quoted(line, at) => {
            trimmed(message.split('`').next().unwrap_or_default())
        }
        Some(message) => without_cut(&trimmed(message)),
        None => String::new(),
    };
    Some(RegistryError {
        code: code.to_owned(),
        message,
        detail: None,
    })
}

/// Whether what stands at `at` was put into backquotes.
fn before_quoted(line: &str, at: usize) -> bool {
    !line[..at].matches('`').count().is_multiple_of(2)
}

/// A message without the time that Compose writes behind it, and without what it cut off to make room: the full one
/// follows.
fn without_cut(message: &str) -> String {
    /// Shorter beginnings tell nothing.
    const SHORTEST: usize = 12;
    let message = match message.rsplit_once("  ") {
        Some((words, time)) if time.ends_with('s') && time.contains('.') => words.trim_end(),
        _ => message,
    };
    match message.strip_suffix("...") {
        Some(beginning) if beginning.len() < SHORTEST => String::new(),
        _ => message.to_owned(),
    }
}

/// Whether a code's name stands where a code stands: after a colon, a quotation mark or the line's start,
/// and before a colon or the line's end. `permission denied`, of a file, does not.
fn is_frame(lower: &str, line: &str, at: usize, end: usize) -> bool {
    let (before, after) = (&lower[..at], &lower[end..]);
    if before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-') {
        return false;
    }
    let is_capital = line[at..end]
        .chars()
        .all(|c| c.is_ascii_uppercase() || c == '_');
    let trimmed_before = before.trim_end();
    let opens = trimmed_before.is_empty()
        || trimmed_before.ends_with([':', ',', '"', '\'', '(', '[', '=', ';', '`', '<', '>'])
        || ["error", "fatal", "failed", "err"]
            .iter()
            .any(|word| trimmed_before.ends_with(word))
        || (is_capital && after.starts_with(':'));
    let rest = after.trim_start();
    let closes = after.starts_with(": ")
        || after == ":"
        || rest.is_empty()
        || rest.starts_with(['"', '\'', '[', '(', ')', '`', ';'])
        || rest.chars().all(|c| matches!(c, '.' | '*' | ']'));
    opens && closes
}

/// A phrase of the server's without a code, from the kind of error that stands before it on.
fn unframed(line: &str, lower: &str, phrase: usize) -> Option<RegistryError> {
    let kind = KINDS.iter().filter_map(|kind| lower.find(kind)).min();
    let sentence = [
        "error from intermediary",
        "you have exceeded",
        "although you appear",
        "the token provided does",
        "the requested installation does",
        "resource protected by",
    ]
    .iter()
    .filter_map(|start| lower.find(start))
    .min();
    let start = [kind, sentence, Some(phrase)].into_iter().flatten().min()?;
    let message = match lower[start..phrase].len() {
        0..=400 => &line[start..],
        _ => &line[phrase..],
    };
    // The word of the challenge to which containerd has no better token, so of a 401
    // (https://github.com/containerd/containerd/blob/main/core/remotes/docker/authorizer.go).
    let code = if message
        .to_ascii_lowercase()
        .starts_with("insufficient_scope")
    {
        "UNAUTHORIZED"
    } else {
        ""
    };
    Some(RegistryError {
        code: code.to_owned(),
        message: trimmed(message),
        detail: None,
    })
}

/// As much of a text as can be a registry's message. What is longer is a log's, and is not searched either.
pub(super) fn shortened(text: &str) -> &str {
    /// In bytes.
    const LONGEST: usize = 8192;
    &text[..text.floor_char_boundary(LONGEST)]
}

/// A message without what a tool closes or adds after it: quotation marks and brackets that the message
/// did not open, and what follows them.
pub(super) fn trimmed(message: &str) -> String {
    let mut message = shortened(message).trim();
    for (at, _) in message.match_indices('"') {
        let after = &message[at + 1..];
        let is_end = after.is_empty()
            || after.starts_with(['}', ',', ')', ']', ';'])
            || (after.starts_with(' ')
                && after
                    .split(' ')
                    .nth(1)
                    .is_some_and(|word| word.contains('=')));
        if is_end && message[..at].matches('"').count().is_multiple_of(2) {
            message = &message[..at];
            break;
        }
    }
    loop {
        let shorter = message.trim_end_matches(['\'', '`', '*', ',', ';', ' ']);
        let unopened = [('(', ')'), ('[', ']'), ('{', '}')]
            .into_iter()
            .any(|(open, close)| {
                shorter.ends_with(close)
                    && shorter.matches(close).count() > shorter.matches(open).count()
            });
        let shorter = if unopened {
            &shorter[..shorter.len() - 1]
        } else {
            shorter
        };
        if shorter.len() == message.len() {
            return message.to_owned();
        }
        message = shorter;
    }
}

/// The HTTP status that the line names.
fn status(lower: &str) -> Option<u16> {
    const NAMES: [&str; 16] = [
        "forbidden",
        "unauthorized",
        "bad request",
        "not found",
        "too many requests",
        "internal server error",
        "bad gateway",
        "service unavailable",
        "gateway timeout",
        "gateway time-out",
        "payload too large",
        "request entity too large",
        "method not allowed",
        "proxy authentication required",
        "client error",
        "server error",
    ];
    const BEFORE: [&str; 15] = [
        "status",
        "status:",
        "status code",
        "status code:",
        "statuscode:",
        "http",
        "[http",
        "http status:",
        "http status",
        "http response",
        "response",
        "response:",
        "denied",
        "unauthorized",
        // `expected 202, received 403`: https://github.com/sigstore/sigstore-js/blob/main/packages/oci/src/error.ts
        ", received",
    ];
    const INTERMEDIATE: &str = "error from intermediary with http status code ";
    for (at, _) in lower.match_indices(['4', '5']) {
        let Some(number) = lower
            .get(at..at + 3)
            .filter(|n| n.bytes().all(|b| b.is_ascii_digit()))
        else {
            continue;
        };
        let (before, after) = (&lower[..at], &lower[at + 3..]);
        // What an intermediate service answered to the registry is not what the registry answered.
        if before.ends_with(INTERMEDIATE) {
            continue;
        }
        let is_part = before
            .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '#'))
            || after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '/'));
        if is_part {
            continue;
        }
        let named = after.trim_start_matches([' ', '(', ':', '-', '"']);
        let has_list = named.starts_with("{\"errors\"");
        let introduced = before.trim_end_matches([' ', '(', '=', '"', '\'']);
        let is_status = has_list
            || NAMES.iter().any(|name| named.starts_with(name))
            || BEFORE.iter().any(|word| introduced.ends_with(word));
        if is_status {
            return number.parse().ok();
        }
    }
    None
}
