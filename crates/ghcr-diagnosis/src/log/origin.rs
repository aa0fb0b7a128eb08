//! Which request a line's refusal answers: URL, method, step, reference, request id.

use oci_push::Step;

use super::lines::Line;
use super::nearest::{Found, Wanted};
use super::pushes::Pushes;
use super::reference::{self, Use};
use super::spoken::Spoken;
use super::{client, headers, host, malformed, trouble};
use crate::context::Access;
use crate::evidence::{Evidence, Trouble};
use crate::place::{Place, asks_to_push};

/// The evidence of what `spoken` says in line `index`.
pub(super) fn place(lines: &[Line], index: usize, spoken: Spoken, pushes: &Pushes) -> Evidence {
    let text = &lines[index].text;
    let is_invalid = matches!(spoken.trouble, Some(Trouble::InvalidReference { .. }));
    let request = request_in(text).or_else(|| request_above(lines, index));
    let url = request.as_ref().map(|request| request.url.clone());
    let asked = url
        .as_deref()
        .and_then(Place::of_url)
        .or_else(|| host::relative(text))
        .or_else(|| host::of_amazon(text))
        .or_else(|| {
            let repository = malformed::repository(text)?.to_lowercase();
            let host = String::new();
            is_invalid.then_some(Place { host, repository })
        });
    let is_pull = is_pull(lines, index, &spoken, url.as_deref());
    let wanted = Wanted {
        lines,
        index,
        spoken: &spoken,
        asked: asked.as_ref(),
        is_pull,
    };
    let Found {
        reference,
        candidates,
    } = wanted.nearest(pushes);
    let named = reference.as_deref().and_then(Place::of_reference);
    let host = url
        .as_deref()
        .and_then(host::of_url)
        .or_else(|| asked.as_ref().map(|place| place.host.clone()))
        .filter(|host| !host.is_empty())
        .or_else(|| named.map(|place| place.host))
        .or_else(|| trouble::looked_up(text).filter(|_| spoken.trouble.is_some()))
        .or_else(|| match candidates.as_slice() {
            [] => host::named(lines, index, is_pull),
            candidates => host::of_all(candidates),
        });
    let method = request.and_then(|request| request.method);
    let reference = reference.or_else(|| {
        let place = asked.as_ref().filter(|place| !place.host.is_empty())?;
        let end = url.as_deref().and_then(host::end_of).unwrap_or_default();
        let host = host::of_registry(&place.host);
        Some(format!("{host}/{}{end}", place.repository))
    });
    let is_answered = spoken.trouble.is_none();
    Evidence {
        step: step_of(text, url.as_deref(), method.as_deref())
            .or_else(|| (is_pull && is_answered).then_some(Step::CheckManifest)),
        method,
        host,
        url,
        reference,
        candidates,
        status: spoken.status,
        errors: spoken.errors,
        body: spoken.body,
        trouble: spoken.trouble,
        anonymous: spoken.anonymous.then_some(true).or_else(|| {
            // containerd asks for such a token with a credential only
            // (https://github.com/containerd/containerd/blob/main/core/remotes/docker/authorizer.go).
            (text.contains("fetch oauth token") || spoken.is_login).then_some(false)
        }),
        headers: headers::near(lines, index, spoken.status),
        request_id: request_id(lines, index),
        seconds: seconds(lines, index),
        is_pull,
        client: client::near(lines, index),
        ..Evidence::default()
    }
}

/// A request as a line names it.
struct Requested {
    method: Option<String>,
    url: String,
}

/// The last request to a registry or its token service in the line: what comes later is the inner one.
fn request_in(text: &str) -> Option<Requested> {
    let mut found = None;
    let mut searched = 0;
    for (at, _) in text.match_indices("http") {
        if at < searched {
            continue;
        }
        let rest = &text[at..];
        if !(rest.starts_with("https://") || rest.starts_with("http://")) {
            continue;
        }
        let end = rest
            .find(|c: char| {
                c.is_whitespace()
                    || matches!(c, '"' | '\'' | '`' | ')' | ']' | '}' | ',' | '<' | '>')
            })
            .unwrap_or(rest.len());
        searched = at + end;
        let url = rest[..end].trim_end_matches([':', '.', ';', '\\']);
        if !(url.contains("/v2/") || url.ends_with("/v2") || url.contains("/token")) {
            continue;
        }
        found = Some(Requested {
            method: method_before(&text[..at]),
            url: without_secrets(url),
        });
    }
    found
}

/// The request in a line just above an answer that stands alone, as Jib writes them, or that was broken off before it.
fn request_above(lines: &[Line], index: usize) -> Option<Requested> {
    let text = &lines[index].text;
    let is_list = text
        .trim_start_matches(|c| c != '{')
        .trim_start_matches(['{', ' '])
        .starts_with("\"errors\"");
    let code = text.split_once(": ").map_or("", |(code, _)| code);
    let is_code = !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let is_broken = index > 0 && lines[index - 1].text.ends_with("/:");
    let is_alone = (is_list || (is_code && is_broken)) && reference::in_text(text).is_empty();
    let above = lines[..index].iter().rev().take(2);
    is_alone
        .then(|| {
            above
                .filter_map(|line| request_in(&line.text))
                .find(|request| request.method.is_some())
        })
        .flatten()
}

/// The query of an upload's URL is a capability; of a token's it says what was asked for, and may hold a token as well.
/// Before the host may stand a user name and a password.
fn without_secrets(url: &str) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = path.split_once("://").unwrap_or(("https", path));
    let host_end = rest.find('/').unwrap_or(rest.len());
    let rest = match rest[..host_end].rfind('@') {
        Some(at) => &rest[at + 1..],
        None => rest,
    };
    let query = if path.contains("/v2/") { "" } else { query };
    let asked: Vec<&str> = query
        .split('&')
        .filter(|pair| pair.starts_with("scope=") || pair.starts_with("service="))
        .collect();
    let mark = if asked.is_empty() { "" } else { "?" };
    format!("{scheme}://{rest}{mark}{}", asked.join("&"))
}

/// The method in `POST https://`, `Post "https://`, `from POST request to https://`.
fn method_before(before: &str) -> Option<String> {
    const METHODS: [&str; 5] = ["HEAD", "GET", "POST", "PUT", "PATCH"];
    let before = before.trim_end_matches(['"', ' ', '\'', '`']);
    let before = before
        .strip_suffix("request to")
        .unwrap_or(before)
        .trim_end();
    let word = before
        .rsplit(|c: char| !c.is_ascii_alphabetic())
        .next()?
        .to_ascii_uppercase();
    METHODS.contains(&word.as_str()).then_some(word)
}

/// How tools name the steps.
const STEPS: [(&str, Step); 24] = [
    ("requesting bearer token", Step::FetchToken),
    ("fetch anonymous token", Step::FetchToken),
    ("fetch oauth token", Step::FetchToken),
    ("failed to authorize", Step::FetchToken),
    ("unable to retrieve auth token", Step::FetchToken),
    ("initiating layer upload", Step::StartUpload),
    ("blobs/uploads/ in ", Step::StartUpload),
    ("failed to send blob post", Step::StartUpload),
    ("failed to initiate upload", Step::StartUpload),
    ("trying to reuse blob", Step::CheckBlob),
    ("checking whether a blob", Step::CheckBlob),
    ("failed to put manifest", Step::PutTag),
    ("writing manifest", Step::PutTag),
    ("uploading manifest", Step::PutTag),
    ("reading manifest", Step::CheckManifest),
    ("failed to resolve source metadata", Step::CheckManifest),
    ("load metadata for", Step::CheckManifest),
    ("failed to resolve reference", Step::CheckManifest),
    // What Amazon's registry calls them.
    ("ecr:getauthorizationtoken", Step::FetchToken),
    ("ecr:batchchecklayeravailability", Step::CheckBlob),
    ("ecr:initiatelayerupload", Step::StartUpload),
    ("ecr:uploadlayerpart", Step::UploadBlob),
    ("ecr:completelayerupload", Step::CommitBlob),
    ("ecr:putimage", Step::PutTag),
];

/// The step, by the URL and the method, else by how tools name it.
fn step_of(text: &str, url: Option<&str>, method: Option<&str>) -> Option<Step> {
    let lower = text.to_ascii_lowercase();
    if let Some(url) = url {
        let is_head = matches!(method, Some("HEAD" | "GET"));
        if url.contains("/token") && !url.contains("/v2/") {
            return Some(Step::FetchToken);
        }
        if url.contains("/blobs/upload") {
            return match method {
                Some("PATCH") => Some(Step::UploadChunk),
                Some("PUT") => Some(Step::CommitBlob),
                Some("GET") => Some(Step::UploadStatus),
                Some("POST") => Some(Step::StartUpload),
                _ if url.trim_end_matches('/').ends_with("/blobs/uploads") => {
                    Some(Step::StartUpload)
                }
                _ => Some(Step::UploadBlob),
            };
        }
        if url.contains("/blobs/") {
            return Some(Step::CheckBlob);
        }
        if url.contains("/manifests/") {
            return match method {
                Some("PUT") => Some(Step::PutTag),
                _ if is_head => Some(Step::CheckManifest),
                _ => None,
            };
        }
    }
    STEPS
        .iter()
        .find(|(words, _)| lower.contains(words))
        .map(|(_, step)| *step)
}

/// Whether it was a pull: by the server's words, by the right that was asked for, by what the line does, by what was
/// asked, else by what the nearest of the lines above do.
fn is_pull(lines: &[Line], index: usize, spoken: &Spoken, url: Option<&str>) -> bool {
    /// What is refused to nobody who only reads.
    const PUSHES: [&str; 4] = [
        "write_package",
        "create_package",
        "not allowed to create",
        "not allowed to write",
    ];
    let says = |phrase: &&str| {
        let mut errors = spoken.errors.iter();
        errors.any(|error| error.message.to_ascii_lowercase().contains(*phrase))
    };
    if PUSHES.iter().any(says) {
        return false;
    }
    if let Some(pushes) = url.and_then(asks_to_push) {
        return !pushes;
    }
    let use_of = |line: &Line| {
        // An address of an upload says more than any word.
        if line.text.contains("/blobs/upload") {
            Use::Push
        } else {
            reference::use_of(&line.text)
        }
    };
    let own = use_of(&lines[index]);
    if own == Use::Unknown
        && let Some(url) = url
        && ["/manifests/", "/tags/"]
            .iter()
            .any(|part| url.contains(part))
        && let Some(method) = method_of(&lines[index].text, url)
    {
        return method != "PUT";
    }
    let first = index.saturating_sub(3);
    let above = lines[first..index].iter().rev().map(use_of);
    let mut known = std::iter::once(own)
        .chain(above)
        .filter(|use_| *use_ != Use::Unknown);
    known.next() == Some(Use::Pull)
}

/// The method of the request for `url` that a line names.
fn method_of(text: &str, url: &str) -> Option<String> {
    method_before(&text[..text.find(url)?])
}

/// The request's id, if a line close by shows the header.
fn request_id(lines: &[Line], index: usize) -> Option<String> {
    /// The header, and how ghcr-push writes it.
    const NAMES: [&str; 2] = ["x-github-request-id", "request id: "];
    let first = index.saturating_sub(6);
    let last = (index + 7).min(lines.len());
    lines[first..last].iter().find_map(|line| {
        let lower = line.text.to_ascii_lowercase();
        let at = NAMES
            .iter()
            .find_map(|name| Some(lower.find(name)? + name.len()))?;
        let rest = line
            .text
            .get(at..)?
            .trim_start_matches([':', '=', '"', ' ', '[']);
        let end = rest
            .find(|c: char| !(c.is_ascii_hexdigit() || c == ':'))
            .unwrap_or(rest.len());
        (end >= 8).then(|| rest[..end].trim_end_matches(':').to_owned())
    })
}

/// How long the step had taken, where the line or the one before it tells: `pushing layers 638.5s`.
fn seconds(lines: &[Line], index: usize) -> Option<u64> {
    let first = index.saturating_sub(1);
    lines[first..=index]
        .iter()
        .flat_map(|line| line.text.split_whitespace())
        .filter_map(|word| {
            let number = word.trim_end_matches([',', ')', ':']).strip_suffix('s')?;
            let whole = number.split('.').next()?;
            let is_number =
                number.contains('.') && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            is_number.then(|| whole.parse().ok()).flatten()
        })
        .max()
}

/// Whether the runner lists what the job's token may below the line.
pub(super) fn lists_rights(line: &Line) -> bool {
    line.text.ends_with("GITHUB_TOKEN Permissions")
}

/// What the runner printed of packages below "`GITHUB_TOKEN` Permissions". What is not listed is none.
pub(super) fn granted(below: &[Line]) -> Option<Access> {
    let listed: Vec<(&str, &str)> = below
        .iter()
        .map_while(|line| line.text.split_once(": "))
        .take_while(|(_, access)| matches!(access.trim(), "read" | "write" | "none"))
        .collect();
    // An empty list is a log that was cut off.
    listed.first()?;
    let packages = listed.iter().find(|(scope, _)| *scope == "Packages");
    Some(match packages.map(|(_, access)| access.trim()) {
        Some("write") => Access::Write,
        Some("read") => Access::Read,
        _ => Access::None,
    })
}
