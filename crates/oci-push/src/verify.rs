//! After the push: does the tag answer with what was pushed? Asked through oci-client, whose reading
//! side shares no code with the way the bytes went up.

use std::error::Error;
use std::time::Duration;

use futures_util::future::BoxFuture;
use oci_archive::{Digest, Manifest};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use secrecy::{ExposeSecret, SecretString};

use crate::clock::Clock;
use crate::failure::{Failure, Found};
use crate::request::CONTROL_DEADLINE;

/// When to ask: a registry may show a manifest some time after it has accepted it.
const LOOKS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// The digest that a reference answers with, or why there is none.
pub(crate) type Answer = Result<String, Box<dyn Error + Send + Sync>>;

/// Whoever can be asked what a reference names.
pub(crate) trait Answerer: Send + Sync {
    /// Asks.
    fn digest<'a>(&'a self, reference: &'a Reference) -> BoxFuture<'a, Answer>;
}

/// Reads back what a registry answers.
pub(crate) struct Reader {
    client: Client,
    auth: RegistryAuth,
}

impl Reader {
    /// A reader with the token that the push used, so that it fetches none of its own.
    pub(crate) fn new(plain_http: bool, bearer: Option<&SecretString>) -> Result<Self, Failure> {
        let config = ClientConfig {
            protocol: if plain_http {
                ClientProtocol::Http
            } else {
                ClientProtocol::Https
            },
            read_timeout: Some(CONTROL_DEADLINE),
            connect_timeout: Some(CONTROL_DEADLINE),
            ..ClientConfig::default()
        };
        // Not `Client::new`, which falls back to defaults when the settings are unusable.
        let client = Client::try_from(config).map_err(|error| Failure::Client(error.into()))?;
        let auth = bearer.map_or(RegistryAuth::Anonymous, |token| {
            RegistryAuth::Bearer(token.expose_secret().to_owned())
        });
        Ok(Self { client, auth })
    }
}

impl Answerer for Reader {
    fn digest<'a>(&'a self, reference: &'a Reference) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let digest = self
                .client
                .fetch_manifest_digest(reference, &self.auth)
                .await;
            digest.map_err(Into::into)
        })
    }
}

/// Waits, a few seconds at most, for the registry to answer with what was `pushed`: through `reader` if there is one,
/// and through the push's `own` requests where that fails. A registry may show a manifest some
/// time after it has accepted it (<https://github.com/p2pool-starter-stack/pithead/issues/429>).
pub(crate) async fn expect(
    reference: &Reference,
    pushed: &Manifest,
    clock: &dyn Clock,
    reader: Option<&Reader>,
    own: &dyn Answerer,
) -> Result<(), Failure> {
    let expected = &pushed.descriptor().digest;
    // A registry may know the same bytes by another algorithm than the archive does.
    let is_pushed = |found: &str| {
        let found: Option<Digest> = found.parse().ok();
        found.is_some_and(|found| {
            found == *expected || found == Digest::of(found.algorithm(), pushed.bytes())
        })
    };
    let mut found = None;
    for wait in LOOKS {
        clock.sleep(wait).await;
        let answer = match reader {
            Some(reader) => reader.digest(reference).await,
            None => own.digest(reference).await,
        };
        // Its token may have ended meanwhile, and it tries nothing again; the push itself does both.
        let answer = match answer {
            Err(_) if reader.is_some() => own.digest(reference).await,
            answer => answer,
        };
        match answer {
            Ok(digest) if is_pushed(&digest) => return Ok(()),
            Ok(digest) => found = Some(Found::OtherDigest(digest)),
            Err(error) => found = Some(Found::Unknown(error)),
        }
    }
    match found {
        None => Ok(()),
        Some(found) => Err(Failure::NotPublished {
            reference: reference.to_string(),
            expected: expected.clone(),
            found,
        }),
    }
}
