//! What can go wrong in a push, with the evidence kept.
//!
//! No text is parsed and no advice is given here: a failure carries the step, the URL, the status,
//! the registry's own errors and the headers that support staff ask for, and whoever explains it
//! (`ghcr-diagnosis`, the command line) works from that.

mod limit;
mod rejection;

use std::io;

use http::{Method, StatusCode};
use oci_archive::{CompressError, Digest, OpenError};
use url::Url;

use crate::request::Request;
use crate::step::Step;
pub use limit::is_rate_limit;
pub use rejection::{RegistryError, Rejection};

/// Why a push, or a part of it, did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The registry or its token service answered, and said no.
    #[error("{0}")]
    Rejected(Box<Rejection>),
    /// No answer came.
    #[error("no answer from {} to the request to {}", .0.host, .0.step.describe())]
    Unanswered(#[source] Box<Unanswered>),
    /// The answer breaks the protocol, or following it would be unsafe.
    #[error("{} answered the request to {} in a way that cannot be followed", .0.host, .0.step.describe())]
    Violation(#[source] Box<Violation>),
    /// A blob was sent again and again, and never arrived.
    #[error("gave up after {uploads} uploads of blob {digest}")]
    GaveUp {
        /// The blob.
        digest: Digest,
        /// How often it was sent, or a part of it.
        uploads: u32,
        /// How the last upload ended.
        #[source]
        last: Box<Failure>,
    },
    /// The archive's own bytes are not what its manifest says, or cannot be read.
    #[error("blob {digest} cannot be sent")]
    Blob {
        /// The blob, as its manifest names it.
        digest: Digest,
        /// What is wrong with it.
        #[source]
        fault: BlobFault,
    },
    /// A layer cannot be brought into the form in which it is pushed.
    #[error("layer {diff_id} cannot be compressed")]
    Layer {
        /// The digest of its uncompressed bytes.
        diff_id: Digest,
        /// What is wrong.
        #[source]
        error: Box<CompressError>,
    },
    /// The finished layers make no image.
    #[error("the image cannot be put together")]
    Assembly(#[source] Box<OpenError>),
    /// The push succeeded as far as the registry said, but the registry holds something else.
    #[error("{reference} does not answer with the digest that was pushed ({expected})")]
    NotPublished {
        /// The reference that was pushed.
        reference: String,
        /// The digest that was pushed.
        expected: Digest,
        /// What the registry's answer was.
        #[source]
        found: Found,
    },
    /// The registry confirmed all that was pushed, and could not be asked afterwards.
    #[error(
        "the registry confirmed all of {reference} ({expected}), and could not be asked afterwards"
    )]
    Unverified {
        /// The reference that was pushed.
        reference: String,
        /// The digest that was pushed.
        expected: Digest,
        /// Why the registry could not be asked.
        #[source]
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The tag names something else, and was not to be moved.
    #[error("{reference} exists, and names {found}")]
    Exists {
        /// The reference.
        reference: String,
        /// What it names.
        found: Digest,
    },
    /// No HTTP client could be made (broken proxy or certificate settings).
    #[error("the HTTP client cannot be set up")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    /// What went wrong in the end, where that happened again and again.
    #[must_use]
    pub fn last(&self) -> &Self {
        match self {
            Self::GaveUp { last, .. } => last.last(),
            failure => failure,
        }
    }

    /// The step that failed, where a request was involved.
    #[must_use]
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::GaveUp { last, .. } => last.step(),
            Self::Rejected(rejection) => Some(rejection.step),
            Self::Unanswered(unanswered) => Some(unanswered.step),
            Self::Violation(violation) => Some(violation.step),
            Self::NotPublished { .. } | Self::Unverified { .. } => Some(Step::Verify),
            Self::Blob { .. }
            | Self::Layer { .. }
            | Self::Assembly(_)
            | Self::Exists { .. }
            | Self::Client(_) => None,
        }
    }

    /// The status and evidence, where a server said no.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        match self.last() {
            Self::Rejected(rejection) => Some(rejection),
            _ => None,
        }
    }

    /// The same, where it is to be kept.
    #[must_use]
    pub fn into_rejection(self) -> Option<Box<Rejection>> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::GaveUp { last, .. } => last.into_rejection(),
            _ => None,
        }
    }

    pub(crate) fn violation(request: &Request, kind: ViolationKind) -> Self {
        Self::Violation(Box::new(Violation {
            step: request.step,
            method: request.method.clone(),
            host: host_of(&request.url),
            url: displayed(&request.url),
            kind,
        }))
    }

    pub(crate) fn unanswered(request: &Request, kind: UnansweredKind) -> Self {
        Self::Unanswered(Box::new(Unanswered {
            step: request.step,
            method: request.method.clone(),
            host: host_of(&request.url),
            url: displayed(&request.url),
            kind,
        }))
    }
}

/// A request that got no answer.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Unanswered {
    /// What was asked.
    pub step: Step,
    /// The method of the request.
    pub method: Method,
    /// Who was asked.
    pub host: String,
    /// The URL, without query values.
    pub url: String,
    /// What happened instead of an answer.
    #[source]
    pub kind: UnansweredKind,
}

/// How a request came to have no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnansweredKind {
    /// The host's name has no address.
    #[error("the host name cannot be resolved")]
    Resolve(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No connection came about.
    #[error("no connection to the host could be made")]
    Connect(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The peer answered what opens TLS in another language, as a server without TLS does.
    #[error("the host speaks no TLS on this port")]
    NotTls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The peer's certificate is not trusted.
    #[error("the host's certificate is not trusted")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The connection broke before the answer was complete.
    #[error("the connection broke")]
    Interrupted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Not one byte moved for the given number of seconds.
    #[error("no byte was accepted for {0} s")]
    Stalled(u64),
    /// Everything was sent, and no answer came for the given number of seconds.
    #[error("no answer came within {0} s")]
    Deadline(u64),
    /// An answer began, and of what cannot be left out, such as its head, something was missing after the given number of
    /// seconds.
    #[error("the answer had not ended after {0} s")]
    Unfinished(u64),
    /// An answer of which nothing can be left out is longer than this many bytes.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// The head of the answer cannot be read. What is wrong with it is said.
    #[error("the answer is no valid HTTP: {0}")]
    Malformed(String),
    /// The head of the answer is larger than any registry's.
    #[error("the headers of the answer are too large")]
    HeadTooLarge,
}

/// An answer that cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Violation {
    /// What was asked.
    pub step: Step,
    /// The method of the request.
    pub method: Method,
    /// Who answered.
    pub host: String,
    /// The URL of the request, without query values.
    pub url: String,
    /// What is wrong with the answer.
    #[source]
    pub kind: ViolationKind,
}

/// What is wrong with an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ViolationKind {
    /// An upload session came without an address.
    #[error("the answer has no usable Location header")]
    LocationMissing,
    /// The upload session is on another host, port or scheme, where no credential may go.
    #[error("the upload session is at {0}, which is not the registry itself")]
    LocationElsewhere(String),
    /// A redirect leads away from the registry.
    #[error("the request was redirected to {0}, which is not the registry itself")]
    RedirectElsewhere(String),
    /// More redirects than any honest registry needs, or one that would change the request.
    #[error("the request was redirected ({0}) in a way that is not followed")]
    RedirectRefused(StatusCode),
    /// The token service is not the registry's own.
    #[error("the registry names {0} as its token service, which does not belong to it")]
    RealmElsewhere(String),
    /// The challenge asks for something no registry client knows.
    #[error("the registry asks for authentication but names no scheme that is known")]
    NoKnownChallenge,
    /// The token service's success holds no token.
    #[error("the token service's answer holds no usable token")]
    TokenMissing,
    /// The token service's success is no answer of a token service.
    #[error("the token service answered with {0} in place of a token")]
    TokenUnreadable(&'static str),
    /// The registry confirms another digest than the one that was sent.
    #[error("the registry stored {found} where {expected} was sent")]
    DigestDiffers {
        /// What was sent.
        expected: Digest,
        /// What the registry confirmed.
        found: String,
    },
    /// The tag for the list of what is about a manifest names something else.
    #[error(
        "the tag for the list of what is about a manifest names no such list, and is left alone; push without the \
         referrers, or delete the tag"
    )]
    NoReferrersList,
    /// The list of what is about a manifest does not hold what was added.
    #[error("the list of what is about a manifest does not keep what is added to it")]
    ReferrersNotListed,
    /// The tag of something that is about a manifest names another one.
    #[error(
        "the tag for what is about the image names {0} already, and is left alone; push without the referrers, or \
         delete the tag"
    )]
    ReferrerTagTaken(Digest),
    /// The registry confirmed a blob that it does not have.
    #[error("the registry confirmed blob {0}, but does not have it")]
    BlobNotStored(Digest),
    /// The registry confirmed a blob, and does not say that it has it when it is asked.
    #[error("the registry confirmed blob {0}, but does not say whether it has it")]
    BlobUntold(Digest),
}

/// What is wrong with a blob's bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobFault {
    /// The bytes hash to something else: the archive is damaged or was changed.
    #[error(
        "digest mismatch: the archive's bytes hash to {actual}; the archive is damaged or was changed"
    )]
    DigestMismatch {
        /// What the bytes hash to.
        actual: Digest,
    },
    /// The archive cannot be read.
    #[error("the archive cannot be read")]
    Read(#[source] io::Error),
}

/// What a registry that does not have what was pushed answers after the push.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Found {
    /// Another digest.
    #[error("it answers with {0}")]
    OtherDigest(Digest),
    /// There is no such tag.
    #[error("there is no such tag")]
    Nothing,
    /// The registry has what was pushed, and has not moved the tag.
    #[error(
        "the registry has the image under its digest, but the tag still names {0}, as before the push"
    )]
    Previous(Digest),
    /// The registry has what was pushed, and has not set the tag.
    #[error("the registry has the image under its digest, but there is no such tag")]
    Untagged,
    /// The registry has what was pushed, the tag names another digest, and what it named before the push is not known.
    #[error(
        "the registry has the image under its digest, but the tag names {0}; what it named before the push is not known"
    )]
    Unexplained(Digest),
}

fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => String::new(),
    }
}

/// A URL fit for a message: no user information, and query values hidden, since an upload session's
/// query is a capability (`_state` in Distribution, a signature elsewhere). The parameters of the
/// token request and the digest are no secrets and help to understand a refusal.
pub(crate) fn displayed(url: &Url) -> String {
    const SHOWN: [&str; 4] = ["service", "scope", "digest", "from"];
    let mut shown = url.clone();
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    if url.query().is_some() {
        let query: Vec<String> = url
            .query_pairs()
            .map(|(name, value)| {
                if SHOWN.contains(&&*name) {
                    format!("{name}={value}")
                } else {
                    format!("{name}=...")
                }
            })
            .collect();
        shown.set_query(None);
        return format!("{shown}?{}", query.join("&"));
    }
    shown.into()
}
