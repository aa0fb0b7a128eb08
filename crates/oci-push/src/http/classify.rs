//! What kind of transport failure an error is, by the types in its chain.

use std::error::Error;
use std::io;
use std::time::Duration;

use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpInfo;

use super::resolve::ResolveError;
use crate::failure::UnansweredKind;

/// Sorts an error by what caused it. `stall` is how long the machine lets a peer acknowledge nothing.
///
/// reqwest's own `is_connect` and `is_timeout` miss a reset in mid-body
/// (<https://github.com/ocx-sh/ocx/issues/276>); everything that is neither resolution, connection
/// nor certificate happened on an established connection, and counts as an interruption unless it is said what
/// is wrong with the answer.
pub(super) fn kind(error: &reqwest::Error, stall: Duration) -> UnansweredKind {
    let resolving = chain(error).position(<dyn Error + 'static>::is::<ResolveError>);
    if let Some(first) = resolving {
        // What stands around it says "DNS error" in several ways.
        return UnansweredKind::Resolve(Box::new(Cause::of(chain(error).skip(first))));
    }
    let cause = Box::new(Cause::of(chain(error)));
    if error.is_connect() {
        return match chain(error).find_map(<dyn Error>::downcast_ref::<rustls::Error>) {
            // It stays so, while other errors of TLS may pass.
            Some(rustls::Error::InvalidCertificate(_)) => UnansweredKind::Certificate(cause),
            Some(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)) => {
                UnansweredKind::NotTls(cause)
            }
            _ => UnansweredKind::Connect(cause),
        };
    }
    let parsing = chain(error)
        .filter_map(|cause| cause.downcast_ref::<hyper::Error>())
        .find(|cause| cause.is_parse());
    match parsing {
        Some(parsing) if parsing.to_string() == HEAD_TOO_LARGE => UnansweredKind::HeadTooLarge,
        Some(parsing) => UnansweredKind::Malformed(parsing.to_string()),
        None if chain(error).any(is_timeout) => UnansweredKind::Stalled(stall.as_secs()),
        None => UnansweredKind::Interrupted(cause),
    }
}

/// What hyper says of a head that outgrows its buffer of some 400 KB, or has more than a hundred headers. Only its
/// server can be asked without comparing words; a test of the engine holds them.
const HEAD_TOO_LARGE: &str = "message head is too large";

/// Whether the machine gave the connection up since its peer acknowledged nothing.
fn is_timeout(cause: &(dyn Error + 'static)) -> bool {
    cause
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

/// The connection on which an error occurred.
pub(super) fn connection(error: &reqwest::Error) -> Option<HttpInfo> {
    let client = chain(error).find_map(|cause| cause.downcast_ref::<legacy::Error>())?;
    let mut extensions = http::Extensions::new();
    client.connect_info()?.get_extras(&mut extensions);
    extensions.remove()
}

/// What the HTTP stack says, in one line and without its own outermost words, which only repeat that
/// there was a request.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Cause(String);

impl Cause {
    fn of<'a>(causes: impl Iterator<Item = &'a (dyn Error + 'static)>) -> Self {
        let mut texts: Vec<String> = Vec::new();
        for cause in causes.filter(|cause| !cause.is::<reqwest::Error>()) {
            let text = cause.to_string();
            if texts.last() != Some(&text) {
                texts.push(text);
            }
        }
        Self(texts.join(": "))
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause| next(*cause))
}

/// An `io::Error` hides the error it wraps from `source`, which gives that error's own source.
fn next<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(inner) => Some(inner),
        None => cause.source(),
    }
}
