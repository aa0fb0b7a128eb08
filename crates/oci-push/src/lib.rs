//! Uploads container images to an OCI registry.
//!
//! The engine takes an [`oci_archive::Image`] and any number of references, and makes the registry hold
//! exactly that image under them, or says why not, with the registry's own words. Blobs go up
//! concurrently, each once, streamed or in chunks; a token that expires is renewed once for all; what
//! breaks is resumed or sent again; manifests are published byte for byte, children first, tags last.
//!
//! It knows nothing of GitHub, reads no environment and prints nothing: credentials come from a
//! [`Keychain`], progress goes to an [`Observer`], and every [`Failure`] carries the evidence that an
//! explanation needs.
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::Arc;
//!
//! use oci_push::{FixedKeychain, PushOptions, Pusher, Reference, Silent};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let content = oci_archive::open(Path::new("image.tar"), &oci_archive::OpenOptions::default())?;
//! let image = content.into_image().ok_or("its layers are not compressed; see Pusher::push_draft")?;
//! let reference: Reference = "registry.example/owner/app:1.2".parse()?;
//! let keychain = Arc::new(FixedKeychain(None));
//! let pusher = Pusher::new(PushOptions::default(), keychain, Arc::new(Silent))?;
//! let report = pusher.push(&image, &[reference]).await?;
//! let pushed = report.image.map(|pushed| pushed.digest);
//! assert_eq!(pushed.as_ref(), Some(&image.root().descriptor().digest));
//! # Ok(())
//! # }
//! ```
//!
//! `examples/push.rs` pushes whatever an archive holds, docker-save archives included, and shows what happens.

mod auth;
mod batch;
mod body;
mod clock;
mod failure;
mod finishing;
mod http;
mod journal;
mod observer;
mod options;
mod origin;
mod pace;
mod plan;
mod profile;
mod publication;
mod pusher;
mod report;
mod repository;
mod request;
mod retry;
mod roots;
mod step;
mod tally;
mod upload;
mod verify;

pub use self::http::{HttpSettings, TlsSettings, goes_through_proxy};
pub use auth::{Credentials, FixedKeychain, Keychain};
pub use clock::{Clock, SystemClock};
pub use failure::{
    BlobFault, Failure, Found, RegistryError, Rejection, Unanswered, UnansweredKind, Violation,
    ViolationKind, is_rate_limit,
};
pub use finishing::{LayerCache, NoCache, Workshop};
pub use journal::{NoJournal, SessionJournal, UploadKey};
pub use observer::{Event, Observer, Silent};
pub use oci_client::Reference;
pub use options::{PushOptions, Verify};
pub use plan::{PlanError, PlannedReference, PlannedRepository, PlannedStatus, PushPlan};
pub use profile::Profile;
pub use pusher::Pusher;
pub use report::{
    BlobCounts, PushError, PushReport, PushedImage, ReferenceReport, ReferenceStatus, Shown,
};
pub use retry::{RetryPolicy, is_transient};
pub use step::Step;
pub use upload::mode::{Mode, UploadMode};

/// What the other crates of this workspace, its tests and its fuzz targets need besides. It is no part of the
/// interface, and may change in any release.
#[doc(hidden)]
pub mod internals {
    pub use crate::auth::Challenge;
    pub use crate::body::BlobBody;
    pub use crate::http::HttpTransport;
    pub use crate::request::{Body, Replay, Request, Response, Transport};
    pub use crate::retry::{Attempt, Outcome, RetryTransport, Verdict};
    pub use crate::tally::Tally;
    pub use crate::upload::mode::{Situation, choose};
    pub use crate::upload::range::held;
}

/// The example of the package's page compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
