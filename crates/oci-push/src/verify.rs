//! After the push: does the tag answer with what was pushed? Asked through oci-client, whose reading
//! side shares no code with the way the bytes went up: neither address nor headers nor answer are made or
//! read by what could have got them wrong before.
//!
//! What it sends is logged and counted here, since it does not pass the transports that log and count
//! everything else.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Method;
use oci_archive::{Digest, Manifest};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use secrecy::{ExposeSecret, SecretString};

use crate::clock::Clock;
use crate::failure::{Failure, Found};
use crate::repository::tag_of;
use crate::request::CONTROL_DEADLINE;
use crate::step::Step;
use crate::tally::Tally;

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
    scheme: &'static str,
    tally: Arc<Tally>,
}

impl Reader {
    /// A reader with the token that the push used, so that it fetches none of its own.
    pub(crate) fn new(
        plain_http: bool,
        bearer: Option<&SecretString>,
        tally: Arc<Tally>,
    ) -> Result<Self, Failure> {
        let (protocol, scheme) = if plain_http {
            (ClientProtocol::Http, "http")
        } else {
            (ClientProtocol::Https, "https")
        };
        let config = ClientConfig {
            protocol,
            read_timeout: Some(CONTROL_DEADLINE),
            connect_timeout: Some(CONTROL_DEADLINE),
            ..ClientConfig::default()
        };
        // Not `Client::new`, which falls back to defaults when the settings are unusable.
        let client = Client::try_from(config).map_err(|error| Failure::Client(error.into()))?;
        let auth = bearer.map_or(RegistryAuth::Anonymous, |token| {
            RegistryAuth::Bearer(token.expose_secret().to_owned())
        });
        Ok(Self {
            client,
            auth,
            scheme,
            tally,
        })
    }

    /// Counts what oci-client has sent for one look (`Client::fetch_manifest_digest`): a HEAD, and if the
    /// answer to that names no digest, as that of a refusal, a GET. Without a token, either goes with a
    /// question for the challenge. Where a registry leaves the digest out of a good answer, the GET is not counted.
    fn count(&self, answer: &Result<String, OciDistributionError>) {
        let looks = match answer {
            Ok(_) | Err(OciDistributionError::RequestError(_)) => 1,
            Err(_) => 2,
        };
        let questions = match &self.auth {
            RegistryAuth::Bearer(_) => 0,
            // The push keeps the credential itself to itself.
            RegistryAuth::Basic(..) | RegistryAuth::Anonymous => looks,
        };
        for _ in 0..looks + questions {
            self.tally.count_request();
        }
    }

    fn log(&self, reference: &Reference, answer: &Result<String, OciDistributionError>) {
        let host = reference.resolve_registry();
        let path = format!("{}/manifests/{}", reference.repository(), tag_of(reference));
        let url = format!("{}://{host}/v2/{path}", self.scheme);
        let (step, method) = (Step::Verify, Method::HEAD);
        match answer {
            Ok(digest) => tracing::debug!(%step, %method, %url, %digest, "answered"),
            Err(failure) => {
                tracing::debug!(%step, %method, %url, %failure, "not answered with a digest");
            }
        }
    }
}

impl Answerer for Reader {
    fn digest<'a>(&'a self, reference: &'a Reference) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let answer = self
                .client
                .fetch_manifest_digest(reference, &self.auth)
                .await;
            self.count(&answer);
            self.log(reference, &answer);
            answer.map_err(Into::into)
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
