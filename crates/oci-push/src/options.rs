//! How to push, as the caller decides it.

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
    /// Blobs whose bytes are in flight at a time.
    pub jobs: usize,
    /// Streamed or chunked.
    pub upload_mode: UploadMode,
    /// The chunk size in bytes; the registry's own limit still applies.
    pub chunk_size: Option<u64>,
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
}

impl Default for PushOptions {
    fn default() -> Self {
        Self {
            jobs: 4,
            upload_mode: UploadMode::Auto,
            chunk_size: None,
            retry: RetryPolicy::default(),
            http: HttpSettings::default(),
            plain_http: false,
            profile: None,
            verify: Verify::default(),
            no_clobber: false,
        }
    }
}
