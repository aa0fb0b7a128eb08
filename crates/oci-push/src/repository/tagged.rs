//! What a tag names, for whoever is about to write another manifest in its place, and must not lose
//! anything.

use http::{HeaderValue, Method, header};
use oci_archive::Digest;

use super::{ACCEPTED_MANIFESTS, MANIFEST_LIMIT, RemoteManifest, Repository, check_confirmation};
use crate::failure::{Failure, Rejection};
use crate::request::{Request, Response, Transport};
use crate::retry::{cause_of, is_outage, is_transient};
use crate::step::Step;

/// What a tag names, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// A manifest.
    Manifest(Digest),
    /// The registry says that there is no such tag.
    Nothing,
    /// The registry does not tell.
    Untold,
}

impl Named {
    /// The digest of the manifest, if it is known.
    pub(crate) fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Manifest(digest) => Some(digest),
            Self::Nothing | Self::Untold => None,
        }
    }
}

/// Whether an answer to a question for a tag says that nothing else will be answered: an outage, a limit, or a credential
/// that is refused. Any other refusal is the registry's way to say that it does not tell, and the request that starts
/// an upload will be refused with words.
pub(super) fn ends_push(response: &Response) -> bool {
    let status = response.status.as_u16();
    status == 401 || is_outage(status)
}

/// What the answer to a GET says that the tag names, with the manifest itself. A body that was cut, that is no manifest,
/// or that is not what the answer names, is as good as none.
pub(super) fn named_by(response: Response) -> (Named, Option<RemoteManifest>) {
    match response.status.as_u16() {
        404 => return (Named::Nothing, None),
        200 => {}
        _ => return (Named::Untold, None),
    }
    let named = response.header("docker-content-digest").map(str::to_owned);
    let found = RemoteManifest::of(response);
    let is_named = named.is_none_or(|named| named == found.digest.to_string());
    if is_named && found.is_object() {
        (Named::Manifest(found.digest.clone()), Some(found))
    } else {
        (Named::Untold, None)
    }
}

impl<T: Transport> Repository<T> {
    /// What a tag points to. Some registries answer a GET only, or name no digest in the answer to a HEAD; what an
    /// earlier try was not answered with is then asked for once.
    pub(crate) async fn tag(&self, tag: &str) -> Result<Named, Failure> {
        let get = self.look_up(tag);
        let head = Request {
            method: Method::HEAD,
            ..get.clone()
        };
        let response = self.transport.send(&head).await?;
        let status = response.status.as_u16();
        match status {
            200 | 403 | 404 => {
                self.note_contents(&head, &response);
                let digest = response.header("docker-content-digest");
                let digest = digest.and_then(|digest| digest.parse().ok());
                match (status, digest) {
                    (404, _) => return Ok(Named::Nothing),
                    (403, _) => return Ok(Named::Untold),
                    (_, Some(digest)) => return Ok(Named::Manifest(digest)),
                    // The digest of a GET's body is the tag's.
                    (_, None) => self.learned.leave_out_digests(),
                }
            }
            429 => {
                return Err(Failure::Rejected(Box::new(Rejection::new(
                    &head, &response,
                ))));
            }
            _ => {}
        }
        let refusal = Failure::Rejected(Box::new(Rejection::new(&head, &response)));
        let get = if is_transient(status) {
            get.sent_once()
        } else {
            get
        };
        match self.transport.send(&get).await {
            Ok(found) if matches!(found.status.as_u16(), 200 | 404) => {
                self.note_contents(&get, &found);
                Ok(named_by(found).0)
            }
            // It has words where the answer to a HEAD has none.
            Ok(found) if ends_push(&found) => {
                Err(Failure::Rejected(Box::new(Rejection::new(&get, &found))))
            }
            Ok(_) => Ok(Named::Untold),
            Err(Failure::Unanswered(_)) if is_transient(status) => Err(refusal),
            Err(failure) => Err(failure),
        }
    }

    /// Why the registry does not tell what a tag names, asked once; `None` if it does, or gives no answer.
    pub(crate) async fn refusal(&self, tag: &str) -> Option<String> {
        let request = self.look_up(tag).sent_once();
        let response = self.transport.send(&request).await.ok()?;
        let rejection = response.expect(&request, &[200, 404]).err()?;
        Some(cause_of(&rejection))
    }

    /// The manifest that a tag names, `None` if the registry says that there is no such tag. Any other
    /// answer is a failure, unlike with [`Repository::manifest`].
    pub(crate) async fn tagged(&self, tag: &str) -> Result<Option<RemoteManifest>, Failure> {
        let request = self.look_up(tag);
        let response = self.transport.send(&request).await?;
        let response = response.expect(&request, &[200, 404])?;
        if response.status == 404 {
            return Ok(None);
        }
        let found = RemoteManifest::of(response.clone());
        check_confirmation(&request, &response, &found.digest)?;
        Ok(Some(found))
    }

    /// What a tag or digest names after a push, in one try, `None` if the registry says that there is nothing.
    pub(crate) async fn look(&self, reference: &str) -> Result<Option<Digest>, Failure> {
        let mut request = self.look_up(reference).sent_once();
        request.step = Step::Verify;
        let head = Request {
            method: Method::HEAD,
            ..request.clone()
        };
        let response = self.transport.send(&head).await?;
        let named = response.header("docker-content-digest");
        let named: Option<Digest> = named.and_then(|digest| digest.parse().ok());
        match (response.status.as_u16(), named) {
            (200, Some(digest)) => return Ok(Some(digest)),
            (404, _) => return Ok(None),
            (status, _) if status == 403 || is_transient(status) => {
                return Err(Failure::Rejected(Box::new(Rejection::new(
                    &head, &response,
                ))));
            }
            // Either the answer lacks the digest, or a HEAD is not taken; a 401 has no words.
            _ => {}
        }
        let response = self.transport.send(&request).await?;
        let response = response.expect(&request, &[200, 404])?;
        Ok((response.status == 200).then(|| RemoteManifest::of(response).digest))
    }

    /// The request that asks what a tag names.
    pub(crate) fn look_up(&self, tag: &str) -> Request {
        let mut request = Request::new(Step::CheckManifest, Method::GET, self.manifest_url(tag))
            .header(header::ACCEPT, HeaderValue::from_static(ACCEPTED_MANIFESTS));
        request.response_limit = MANIFEST_LIMIT;
        request
    }
}
