//! What to do about failures: one sentence, where it is known.

use std::io;

use oci_archive::{CompressError, OpenError, OpenOptions, ScratchError};
use oci_push::{Failure, Found, Profile, Rejection, UnansweredKind};

pub(super) const PROXY_AUTHENTICATION_REQUIRED: u16 = 407;

/// What the HTTP stack says when a proxy refuses to open a tunnel without a credential
/// (`hyper_util::client::legacy::connect::proxy::TunnelError`).
const TUNNEL_NEEDS_CREDENTIAL: &str = "proxy authorization required";

/// Whether a proxy on the way wants a credential of its own.
pub(crate) fn is_proxys(failure: &Failure) -> bool {
    match failure.last() {
        Failure::Rejected(rejection) => rejection.status == PROXY_AUTHENTICATION_REQUIRED,
        Failure::Unanswered(unanswered) => match &unanswered.kind {
            UnansweredKind::Connect(error) => error.to_string().contains(TUNNEL_NEEDS_CREDENTIAL),
            _ => false,
        },
        _ => false,
    }
}

/// What servers that speak TLS answer to a request without it: Go's
/// (<https://cs.opensource.google/go/go/+/master:src/net/http/server.go>), nginx
/// (<https://nginx.org/en/docs/http/ngx_http_ssl_module.html>, "Error Processing") and Apache's httpd.
const ANSWERS_OF_TLS: [&str; 3] = [
    "client sent an http request to an https server",
    "the plain http request was sent to https port",
    "speaking plain http to an ssl-enabled server port",
];

/// Whether an answer says that the port is one for TLS, of which the request had none.
pub(super) fn is_answer_of_tls(rejection: &Rejection) -> bool {
    let words = rejection.words().to_ascii_lowercase();
    rejection.status == BAD_REQUEST
        && is_plain(&rejection.url)
        && ANSWERS_OF_TLS.iter().any(|answer| words.contains(answer))
}

const BAD_REQUEST: u16 = 400;

/// Whether a request had no TLS.
fn is_plain(url: &str) -> bool {
    url.starts_with("http://")
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

/// What to do about a failure, if that is known without a diagnosis.
pub(super) fn hint_for(failure: &Failure) -> Option<String> {
    if is_proxys(failure) {
        return Some(
            "it is a proxy on the way that asks for a user name and a password: write both, with a colon between them, and \
             an @ before the proxy's host in HTTPS_PROXY (HTTP_PROXY with --plain-http), or name the registry in NO_PROXY"
                .to_owned(),
        );
    }
    let unanswered = match failure.last() {
        Failure::Rejected(rejection) if is_answer_of_tls(rejection) => {
            return Some(format!(
                "{} speaks TLS on this port: leave out --plain-http",
                rejection.host
            ));
        }
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
        UnansweredKind::Connect(_) if is_plain(&unanswered.url) => Some(format!(
            "check that {} is the registry's host and port, and that it is reachable from here",
            unanswered.host
        )),
        UnansweredKind::Malformed(_) if is_plain(&unanswered.url) => Some(format!(
            "check the port of {}; if the registry speaks TLS there, leave out --plain-http",
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
