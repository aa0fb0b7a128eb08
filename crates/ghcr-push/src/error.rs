//! The one error type of the command line: what failed, why, what to do, and the exit code.

mod kind;

use std::error::Error;
use std::io;
use std::time::Duration;

use ghcr_diagnosis::Diagnosis;
use oci_archive::{CompressError, OpenError, OpenOptions, ScratchError};
use oci_push::{
    Failure, Found, Profile, Rejection, Step, UnansweredKind, ViolationKind, is_transient,
};

use crate::explain::Place;
use crate::quantity::display_duration;
pub(crate) use kind::{Kind, Signal, told};

/// A wait worth telling: shorter ones have been waited out.
const LONG_WAIT: Duration = Duration::from_secs(30);

/// The request that a failure is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FailedRequest {
    pub(crate) step: Step,
    /// Method and URL, where a single request is to blame.
    pub(crate) target: Option<(String, String)>,
}

impl FailedRequest {
    fn of(failure: &Failure) -> Option<Self> {
        let target = match failure.last() {
            Failure::Rejected(rejection) => Some((&rejection.method, &rejection.url)),
            Failure::Unanswered(unanswered) => Some((&unanswered.method, &unanswered.url)),
            Failure::Violation(violation) => Some((&violation.method, &violation.url)),
            _ => None,
        };
        Some(Self {
            step: failure.step()?,
            target: target.map(|(method, url)| (method.to_string(), url.clone())),
        })
    }
}

/// A failure, ready to be rendered.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) kind: Kind,
    /// What failed, in one line.
    pub(crate) message: String,
    /// Why, from the outside in.
    pub(crate) causes: Vec<String>,
    /// What to do, if it is known and could work here.
    pub(crate) hint: Option<String>,
    /// What was asked when it happened, if anything was.
    pub(crate) request: Option<Box<FailedRequest>>,
    /// The refusal behind it, if a server refused.
    pub(crate) rejection: Option<Box<Rejection>>,
    /// Why it was refused.
    pub(crate) diagnosis: Option<Box<Diagnosis>>,
    /// The place in the workflow's file, if that is what has to be changed.
    pub(crate) place: Option<Box<Place>>,
}

impl CliError {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            request: None,
            rejection: None,
            diagnosis: None,
            place: None,
        }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// A result that cannot be printed.
    pub(crate) fn unwritable(error: &std::io::Error) -> Self {
        Self::new(Kind::Internal, "standard output cannot be written").caused_by(error)
    }

    /// A machine on which no request can be sent.
    pub(crate) fn no_runtime(error: &std::io::Error) -> Self {
        Self::new(Kind::Internal, "no runtime could be started").caused_by(error)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The diagnosis as people are told it: where a sentence says what to do, that is enough.
    pub(crate) fn told_diagnosis(&self) -> Option<&Diagnosis> {
        let is_sentence =
            matches!(self.kind, Kind::Usage | Kind::Unavailable) && self.hint.is_some();
        self.diagnosis.as_deref().filter(|_| !is_sentence)
    }

    /// Adds the chain of `error`, itself first, unless it only repeats the message.
    pub(crate) fn caused_by(mut self, error: &dyn Error) -> Self {
        let causes = chain(error).into_iter();
        self.causes
            .extend(causes.skip_while(|cause| *cause == self.message));
        self
    }

    /// A push that failed.
    pub(crate) fn of_failure(message: impl Into<String>, failure: Failure) -> Self {
        let mut error = Self::new(kind_of(&failure), message).caused_by(&failure);
        error.hint = hint_for(&failure);
        error.request = FailedRequest::of(&failure).map(Box::new);
        if let Some(rejection) = failure.into_rejection() {
            error.causes.extend(words(&rejection));
            error.causes.extend(
                rejection
                    .retry_after
                    .filter(|wait| *wait > LONG_WAIT)
                    .map(|wait| format!("it asks to wait {}", display_duration(wait))),
            );
            error.rejection = Some(rejection);
        }
        error
    }
}

/// An error and its sources, without a source that only repeats what stands before it.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if !causes.last().is_some_and(|last| last.ends_with(&text)) {
            causes.push(text);
        }
        next = error.source();
    }
    causes
}

/// The server's own words, an error a line; a body that is no error list only by its beginning.
fn words(rejection: &Rejection) -> Vec<String> {
    /// Enough to recognise a proxy's page.
    const EXCERPT: usize = 200;
    if rejection.errors.is_empty() {
        let excerpt = rejection.body_excerpt.as_deref().unwrap_or_default();
        let shown: String = excerpt.trim().chars().take(EXCERPT).collect();
        return match shown.as_str() {
            "" => vec!["the answer has no body".to_owned()],
            shown => vec![format!("it said: {shown}")],
        };
    }
    let errors = rejection.errors.iter();
    errors
        .map(|error| match &error.detail {
            Some(detail) => format!("{}: {} ({detail})", error.code, error.message),
            None => format!("{}: {}", error.code, error.message),
        })
        .collect()
}

/// The class of a push's failure.
pub(crate) fn kind_of(failure: &Failure) -> Kind {
    match failure.last() {
        Failure::Rejected(rejection) => kind_of_rejection(rejection),
        Failure::Unanswered(_)
        | Failure::Unverified { .. }
        | Failure::NotPublished {
            found: Found::Nothing,
            ..
        } => Kind::Unavailable,
        Failure::Blob { .. } | Failure::Layer { .. } | Failure::Assembly(_) => Kind::Image,
        Failure::NotPublished { .. } | Failure::Exists { .. } => Kind::Refused,
        Failure::Violation(violation) => match violation.kind {
            ViolationKind::NoKnownChallenge
            | ViolationKind::RealmElsewhere(_)
            | ViolationKind::TokenMissing => Kind::Authorization,
            ViolationKind::TokenUnreadable(_) => Kind::Unavailable,
            _ => Kind::Refused,
        },
        _ => Kind::Internal,
    }
}

const PROXY_AUTHENTICATION_REQUIRED: u16 = 407;

/// What the HTTP stack says when a proxy refuses to open a tunnel without a credential
/// (`hyper_util::client::legacy::connect::proxy::TunnelError`).
const TUNNEL_NEEDS_CREDENTIAL: &str = "proxy authorization required";

/// Whether a proxy on the way wants a credential of its own.
fn is_proxys(failure: &Failure) -> bool {
    match failure.last() {
        Failure::Rejected(rejection) => rejection.status == PROXY_AUTHENTICATION_REQUIRED,
        Failure::Unanswered(unanswered) => match &unanswered.kind {
            UnansweredKind::Connect(error) => error.to_string().contains(TUNNEL_NEEDS_CREDENTIAL),
            _ => false,
        },
        _ => false,
    }
}

fn kind_of_rejection(rejection: &Rejection) -> Kind {
    let status = rejection.status.as_u16();
    // Who asks with 407 is a proxy, and the registry was never reached.
    if is_transient(status)
        || status == PROXY_AUTHENTICATION_REQUIRED
        || rejection.is_rate_limit()
        || rejection.has_outlasted
    {
        Kind::Unavailable
    } else if matches!(status, 401 | 403) || rejection.step == Step::FetchToken {
        Kind::Authorization
    } else {
        Kind::Refused
    }
}

/// What to do about an archive that cannot be opened with these options.
pub(crate) fn hint_for_archive(error: &OpenError, options: &OpenOptions) -> Option<&'static str> {
    Some(match error {
        OpenError::Unsupported { kind } if kind.contains("ZIP") => {
            "unpack it first: GitHub wraps the artifacts of a workflow in a ZIP archive"
        }
        OpenError::Unsupported { kind } if kind.contains("compressed") => {
            "decompress it first; gzip, zstd, xz and bzip2 are understood"
        }
        OpenError::Unsupported { kind } if kind.contains("unpacked") => {
            "pack it: tar -C DIRECTORY -cf image.tar ."
        }
        OpenError::Unsupported { kind } if kind.contains("skopeo") => {
            "convert it: skopeo copy dir:DIRECTORY oci-archive:image.tar"
        }
        OpenError::NotAnArchive { .. } => {
            "an image archive is an OCI image layout or what docker save writes: docker buildx build --output \
             type=oci,dest=image.tar, docker save -o image.tar, podman save, skopeo copy"
        }
        OpenError::Missing { what, remark: None } if what.starts_with("oci-layout") => {
            "a directory or an archive of an image holds oci-layout or manifest.json; of sources one is made with docker \
             buildx build --output type=oci,dest=image.tar ."
        }
        OpenError::Truncated { .. } => "write the archive again; the tool that made it was cut off",
        OpenError::Scratch(error) => return hint_for_scratch(error),
        OpenError::Expands(_) => {
            "if the archive is sound, decompress it into a file and push that: it is read where it is, whatever its size"
        }
        OpenError::Selection { .. } => "choose one with --image NAME or --image @N",
        OpenError::NoPlatform { available, .. } if available.is_empty() => "leave out --platform",
        OpenError::NoPlatform { .. } => "choose one of these, or leave out --platform",
        OpenError::Incomplete { .. } if options.only_present => {
            "export the image again, as a whole"
        }
        OpenError::Incomplete { .. } if options.platforms.len() == 1 => {
            "choose another platform, or export the image with this one"
        }
        OpenError::Incomplete { .. } if !options.platforms.is_empty() => {
            "leave out what is absent with --only-present, choose another platform, or export the image with all \
             that it names"
        }
        OpenError::Incomplete { .. } => {
            "push one of the platforms that are there with --platform OS/ARCHITECTURE, all of them with \
             --only-present (which changes the digest), or export the image with all its platforms"
        }
        _ => return None,
    })
}

/// What to do about scratch space. Room is no remedy for what else can be the matter, such as too many open
/// files.
fn hint_for_scratch(error: &ScratchError) -> Option<&'static str> {
    match error.source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("make room there, or name another directory in TMPDIR")
        }
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem => {
            Some("name a directory that can be written in TMPDIR")
        }
        _ => None,
    }
}

fn hint_for(failure: &Failure) -> Option<String> {
    if is_proxys(failure) {
        return Some(
            "it is a proxy on the way that asks for a user name and a password: give them in HTTPS_PROXY (HTTP_PROXY with \
             --plain-http) as http://USER:PASSWORD@HOST:PORT, or name the registry in NO_PROXY"
                .to_owned(),
        );
    }
    let unanswered = match failure.last() {
        Failure::Unanswered(unanswered) => unanswered,
        Failure::Exists { .. } => {
            return Some(
                "choose another tag, or leave out --no-clobber to move this one".to_owned(),
            );
        }
        Failure::NotPublished {
            found: Found::Previous(_) | Found::Untagged | Found::Unexplained(_),
            ..
        } => {
            return Some(
                "see whether the registry keeps the tag from being moved (an immutable tag) or shows it later; push under \
                 another tag, or push again: no blob is sent twice"
                    .to_owned(),
            );
        }
        Failure::Layer { error, .. } => {
            return match &**error {
                CompressError::Scratch(error) => hint_for_scratch(error).map(str::to_owned),
                _ => None,
            };
        }
        _ => return None,
    };
    match &unanswered.kind {
        UnansweredKind::Resolve(_) if Profile::of_host(&unanswered.host) == Profile::Ghcr => Some(
            "check the machine's network, its name server, and whether it needs a proxy (HTTPS_PROXY)".to_owned(),
        ),
        UnansweredKind::Resolve(_) => Some(format!(
            "check the spelling of {} and the machine's network",
            unanswered.host
        )),
        UnansweredKind::Connect(_) if Profile::of_host(&unanswered.host) == Profile::Ghcr => Some(format!(
            "look whether this machine may reach {}: a firewall, a VPN or a proxy that has to be set (HTTPS_PROXY) may \
             stand between",
            unanswered.host
        )),
        UnansweredKind::NotTls(_) if Profile::of_host(&unanswered.host) == Profile::Ghcr => Some(format!(
            "something between answers in place of {}, which speaks TLS: a proxy, or another address for its name",
            unanswered.host
        )),
        UnansweredKind::Connect(_) => Some(format!(
            "check that {} is the registry's host and port, that it is reachable from here, and, for a registry \
             without TLS, give --plain-http",
            unanswered.host
        )),
        UnansweredKind::NotTls(_) => Some(format!(
            "check the port of {}; for a registry without TLS, give --plain-http",
            unanswered.host
        )),
        UnansweredKind::Certificate(_) => Some(
            "if the registry's certificate comes from an authority of your own, name that authority's certificate \
             with --ca-file, or install it on the machine"
                .to_owned(),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
