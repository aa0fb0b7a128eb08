//! What kind of transport failure an error is, by the types in its chain.

use std::error::Error;
use std::io;

use super::resolve::ResolveError;
use crate::failure::UnansweredKind;

/// Sorts an error by what caused it.
///
/// reqwest's own `is_connect` and `is_timeout` miss a reset in mid-body
/// (<https://github.com/ocx-sh/ocx/issues/276>); everything that is neither resolution, connection
/// nor certificate happened on an established connection and counts as an interruption.
pub(super) fn kind(error: reqwest::Error) -> UnansweredKind {
    // The outermost error only repeats the URL, which every failure names already.
    let error = error.without_url();
    if chain(&error).any(|cause| cause.is::<ResolveError>()) {
        UnansweredKind::Resolve(error.into())
    } else if error.is_connect() {
        if chain(&error).any(is_certificate_error) {
            UnansweredKind::Certificate(error.into())
        } else {
            UnansweredKind::Connect(error.into())
        }
    } else {
        UnansweredKind::Interrupted(error.into())
    }
}

/// rustls reports a certificate that it does not trust as `InvalidData` of the handshake; a handshake
/// that is cut off is an `UnexpectedEof` or a reset.
fn is_certificate_error(cause: &(dyn Error + 'static)) -> bool {
    cause
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
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
