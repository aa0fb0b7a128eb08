//! How to push, as the caller decides it.

use std::time::Duration;

use oci_client::Reference;

use crate::http::HttpSettings;
use crate::profile::Profile;
use crate::retry::RetryPolicy;
use crate::upload::mode::UploadMode;

/// What is asked of the registry after the push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Verify {
    /// Nothing: the registry's confirmations are believed.
    None,
    /// That each tag answers with the digest that was pushed.
    #[default]
    Manifest,
    /// That, and whether it has every blob and manifest below.
    Deep,
}

/// How to push.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PushOptions {
    /// Blobs whose bytes are in flight at a time; `None` to begin with four of a mebibyte and more, to find out whether more,
    /// up to eight, bring anything, and to send smaller ones beside them, sixteen at a time.
    pub jobs: Option<usize>,
    /// Bytes a second that all uploads take together.
    pub limit_rate: Option<u64>,
    /// Streamed or chunked.
    pub upload_mode: UploadMode,
    /// The chunk size in bytes; the registry's own limit still applies.
    pub chunk_size: Option<u64>,
    /// How long the request that closes an upload may go unanswered before the registry is asked whether it has
    /// the blob. ghcr.io takes 5 to 11 seconds for 700 MB
    /// (<https://github.com/GoogleContainerTools/jib/issues/4301>).
    pub commit_patience: Duration,
    /// How long the registry, or a proxy before it, lets one request take; what is known of the registry if `None`. A
    /// blob that would take longer as a stream is sent in chunks, or alone if that is enough.
    pub longest_request: Option<Duration>,
    /// How stubborn to be.
    pub retry: RetryPolicy,
    /// The HTTP client's settings.
    pub http: HttpSettings,
    /// Speak HTTP instead of HTTPS with the registry.
    pub plain_http: bool,
    /// The registry's kind, by its host name if `None`.
    pub profile: Option<Profile>,
    /// What to ask for after the push.
    pub verify: Verify,
    /// Move no tag that names something else.
    pub no_clobber: bool,
    /// Repositories that may hold blobs of the image already. The registry is asked to take them over from
    /// there (distribution-spec, "Mounting a blob from another repository"); tags and digests in them mean
    /// nothing. Those of other registries are left out.
    pub mount_from: Vec<Reference>,
}

impl Default for PushOptions {
    fn default() -> Self {
        Self {
            jobs: None,
            limit_rate: None,
            upload_mode: UploadMode::Auto,
            chunk_size: None,
            commit_patience: Duration::from_secs(15),
            longest_request: None,
            retry: RetryPolicy::default(),
            http: HttpSettings::default(),
            plain_http: false,
            profile: None,
            verify: Verify::default(),
            no_clobber: false,
            mount_from: Vec::new(),
        }
    }
}
