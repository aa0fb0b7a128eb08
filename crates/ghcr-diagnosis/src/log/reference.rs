//! The references in a line, and what the line does with them.

use super::copies;
use super::lines::Line;
use super::unnamed::of_docker_hub;
use crate::rules::is_lookalike;

/// A reference in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) reference: String,
    pub(super) use_: Use,
}

impl Named {
    /// Whether the line writes it.
    pub(super) fn is_written(&self) -> bool {
        self.use_ == Use::Push
    }
}

/// What a line does with a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Push,
    Pull,
    Unknown,
}

/// What tells that the reference behind it is read, in lower case.
const PULLS: [&str; 25] = [
    "load metadata for",
    "cached",
    "pull ",
    "pulling",
    "download from ",
    "failed to pull",
    "importing cache",
    "cache importer",
    "failed to get cache",
    "cache-from",
    "resolve ",
    "resolving",
    "source metadata",
    "resolve reference",
    "initializing source",
    "fetching manifest",
    "build-context",
    "compose up",
    "helm install",
    "helm upgrade",
    "installation failed",
    "could not download oci",
    "reading manifest",
    "making image from",
    "failed to get checksum",
];

/// What tells that the reference behind it is written, in lower case.
const PUSHES: [&str; 8] = [
    "push",
    "refers to repository",
    "exporting",
    "publish",
    "naming to",
    "upload",
    "-t ",
    "--tag",
];

/// What tells that something failed, in lower case.
const FAILURES: [&str; 6] = ["error", "fail", "unable", "denied", "fatal", "unauthorized"];

/// Whether the line tells of a failure.
pub(super) fn fails(line: &Line) -> bool {
    let lower = line.text.to_ascii_lowercase();
    FAILURES.iter().any(|word| lower.contains(word))
}

/// What the line does: with its first reference, else by its words.
pub(super) fn use_of(text: &str) -> Use {
    match in_text(text).first() {
        Some(named) if named.use_ != Use::Unknown => named.use_,
        // A command may end with its verb.
        _ => use_before(&format!("{} ", text.to_ascii_lowercase())),
    }
}

/// What words in lower case do with what comes after them: what the last of them says.
fn use_before(words: &str) -> Use {
    let last = |marks: &[&str]| marks.iter().filter_map(|mark| words.rfind(mark)).max();
    match (last(&PULLS), last(&PUSHES)) {
        (None, None) => Use::Unknown,
        (pull, push) if pull > push => Use::Pull,
        _ => Use::Push,
    }
}

/// What words in lower case do with the reference that follows them at once.
fn use_behind(words: &str) -> Use {
    let close = words.trim_end_matches([' ', '"', '\'', '`', '=']);
    let word = close.rsplit([' ', '[', '-']).next();
    match word {
        // regctl's fields have names.
        Some("from" | "src" | "source") => Use::Pull,
        Some("to" | "tgt" | "target") => Use::Push,
        _ if words.contains("from --platform=") => Use::Pull,
        _ => use_before(words),
    }
}

/// The references in a line, to registries that are known by their hosts.
pub(super) fn in_text(text: &str) -> Vec<Named> {
    /// How many bytes around a reference can be about it.
    const NEAR: usize = 1000;
    if !text.contains(['/', ':']) {
        return Vec::new();
    }
    let lower = text.to_ascii_lowercase();
    let admits = Admitted {
        all: use_before(&lower) != Use::Unknown,
        tagged: FAILURES.iter().any(|word| lower.contains(word)),
    };
    let mut start = 0;
    let mut found = Vec::new();
    for word in text.split(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '"' | '\'' | '`' | '[' | ']' | '(' | ')' | '=' | ',' | ';'
            )
    }) {
        let at = start;
        // All separators but blanks of other scripts take one byte.
        start += word.len();
        start += text[start..].chars().next().map_or(0, char::len_utf8);
        let Some(reference) = reference_in(word, admits) else {
            continue;
        };
        let first = lower.ceil_char_boundary(at.saturating_sub(NEAR));
        let last = lower.floor_char_boundary(at + NEAR);
        let use_ = match use_behind(&lower[first..at]) {
            Use::Unknown if lower[at..last].contains("push") => Use::Push,
            before => before,
        };
        if copies::is_copied_to(&lower[first..at], !found.is_empty()) {
            copies::turn_to_destination(&mut found, Named { reference, use_ }, &lower[at..]);
            continue;
        }
        found.push(Named { reference, use_ });
    }
    if found.is_empty()
        && let Some(reference) = of_docker_hub(text)
    {
        let use_ = Use::Push;
        found.push(Named { reference, use_ });
    }
    found
}

fn reference_in(word: &str, admits: Admitted) -> Option<String> {
    let word = match word.split_once("://") {
        Some(("docker" | "oci" | "docker-image", rest)) => rest,
        Some(_) => return None,
        None => word,
    };
    let end = word
        .find(|c: char| !(c.is_ascii_alphanumeric() || "._-/:@*<>{}$+".contains(c)))
        .unwrap_or(word.len());
    let word = word[..end].trim_end_matches([':', '.', '/', '-']);
    let word = without_brackets(word);
    let (host, name) = word.split_once('/')?;
    (is_registry(host) || may_be_registry(host, name, admits))
        .then(|| word.to_owned())
        .filter(|_| !name.is_empty())
}

/// A word without the brackets around it, unless they hold a place for a name: `<owner>.azurecr.io/app`.
fn without_brackets(word: &str) -> &str {
    let inner = word.trim_start_matches(['<', '{']);
    let host = inner.split('/').next().unwrap_or_default();
    if inner.len() == word.len() || host.contains(['<', '>', '{', '}']) {
        return word;
    }
    let closes = |mark: char| inner.matches(mark).count();
    let is_closed = closes('<') == closes('>') && closes('{') == closes('}');
    if is_closed {
        inner
    } else {
        inner.trim_end_matches(['>', '}', ':'])
    }
}

/// Which references to hosts that nothing is known of a line can have, by what it says.
#[derive(Clone, Copy)]
struct Admitted {
    all: bool,
    tagged: bool,
}

/// Whether a host that nothing is known of is a registry's. Paths and the names of modules look like references as
/// well.
fn may_be_registry(host: &str, name: &str, admits: Admitted) -> bool {
    const OTHERS: [&str; 5] = [
        "github.com",
        "golang.org",
        "gopkg.in",
        "k8s.io",
        "sigs.k8s.io",
    ];
    let (domain, port) = host.split_once(':').unwrap_or((host, ""));
    let labels: Vec<&str> = domain.split('.').collect();
    let is_domain = labels.iter().all(|label| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let is_named = labels.len() > 1
        && labels
            .last()
            .is_some_and(|last| last.len() > 1 && last.bytes().all(|b| b.is_ascii_alphabetic()));
    let is_host = is_domain && (is_port || (port.is_empty() && is_named));
    // Runners hide secrets behind asterisks.
    let is_name = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._-/:@*".contains(&b));
    is_host
        && is_name
        && !OTHERS.contains(&domain)
        && (admits.all || (admits.tagged && name.contains(':')))
}

pub(super) fn is_registry(host: &str) -> bool {
    const HOSTS: [&str; 7] = [
        "ghcr.io",
        "docker.io",
        "index.docker.io",
        "quay.io",
        "gcr.io",
        "public.ecr.aws",
        "docker.pkg.github.com",
    ];
    const ENDS: [&str; 5] = [
        ".gcr.io",
        ".pkg.dev",
        ".amazonaws.com",
        ".azurecr.io",
        ".docker.io",
    ];
    let host = host.to_lowercase();
    HOSTS.contains(&host.as_str())
        || ENDS.iter().any(|end| host.ends_with(end))
        || host.starts_with("containers.")
        || host.starts_with("registry.")
        || host.starts_with("ghcr.io:")
        || host.starts_with("localhost:")
        || (host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b))
            && is_lookalike(&host))
}
