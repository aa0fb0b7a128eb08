//! After the push: does the tag answer with what was pushed? Asked through oci-client, whose reading
//! side shares no code with the way the bytes went up: neither address nor headers nor answer are made or
//! read by what could have got them wrong before.
//!
//! What it sends is logged and counted here, since it does not pass the transports that log and count
//! everything else.

use std::sync::Arc;

use http::Method;
use oci_archive::{Digest, Manifest};
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use secrecy::{ExposeSecret, SecretString};

use crate::failure::Failure;
use crate::repository::tag_of;
use crate::request::CONTROL_DEADLINE;
use crate::step::Step;
use crate::tally::Tally;

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

    /// Counts and logs what oci-client has sent for one look (`Client::fetch_manifest_digest`): a HEAD, and if the
    /// answer to that names no digest, as that of a refusal, a GET. Without a token, either goes with a
    /// question for the challenge. `is_left_out` tells whether the registry leaves the digest out of good answers too.
    fn account(
        &self,
        reference: &Reference,
        answer: &Result<String, OciDistributionError>,
        is_left_out: bool,
    ) {
        let is_settled_by_head = match answer {
            Ok(_) => !is_left_out,
            Err(error) => matches!(error, OciDistributionError::RequestError(_)),
        };
        if is_settled_by_head {
            self.account_one(reference, &Method::HEAD, Some(answer));
        } else {
            self.account_one(reference, &Method::HEAD, None);
            self.account_one(reference, &Method::GET, Some(answer));
        }
    }

    /// The same for one of the two requests; `answer` is `None` if oci-client went on to the other. What the question
    /// before it is answered with is oci-client's alone to know.
    fn account_one(
        &self,
        reference: &Reference,
        method: &Method,
        answer: Option<&Result<String, OciDistributionError>>,
    ) {
        let base = format!("{}://{}/v2/", self.scheme, reference.resolve_registry());
        let step = Step::Verify;
        match &self.auth {
            RegistryAuth::Bearer(_) => {}
            // The push keeps the credential itself to itself.
            RegistryAuth::Basic(..) | RegistryAuth::Anonymous => {
                self.tally.count_request();
                tracing::debug!(%step, method = %Method::GET, url = %base, "asked for the challenge");
            }
        }
        self.tally.count_request();
        let path = format!("{}/manifests/{}", reference.repository(), tag_of(reference));
        let url = format!("{base}{path}");
        match answer {
            Some(Ok(digest)) => tracing::debug!(%step, %method, %url, %digest, "answered"),
            Some(Err(failure)) => {
                tracing::debug!(%step, %method, %url, %failure, "not answered with a digest");
            }
            None => tracing::debug!(%step, %method, %url, "not answered with a digest"),
        }
    }

    /// The digest that a reference answers with, in one try; `None` if there is no usable answer. `is_left_out` tells
    /// whether the registry names no digest in the answer to a HEAD.
    pub(crate) async fn digest(&self, reference: &Reference, is_left_out: bool) -> Option<Digest> {
        let answer = self
            .client
            .fetch_manifest_digest(reference, &self.auth)
            .await;
        self.account(reference, &answer, is_left_out);
        answer.ok()?.parse().ok()
    }
}

/// Whether `found` is the digest of `pushed`. A registry may know the same bytes by another algorithm than the archive
/// does.
pub(crate) fn is_of(found: &Digest, pushed: &Manifest) -> bool {
    *found == pushed.descriptor().digest || *found == Digest::of(found.algorithm(), pushed.bytes())
}
