//! What a tag names, for whoever is about to write another manifest in its place, and must not lose
//! anything.

use http::{HeaderValue, Method, header};
use oci_archive::Digest;

use super::{ACCEPTED_MANIFESTS, MANIFEST_LIMIT, RemoteManifest, Repository, check_confirmation};
use crate::failure::{Failure, Rejection};
use crate::request::{Request, Response, Transport};
use crate::retry::is_transient;
use crate::step::Step;

/// Whether an answer to a question for a tag says that nothing else will be answered: an outage, a limit, or a credential
/// that is refused. Any other refusal is the registry's way to say that it does not tell, and the request that starts
/// an upload will be refused with words. 500 is a fault in this very request.
pub(super) fn ends_push(response: &Response) -> bool {
    let status = response.status.as_u16();
    status == 401 || (is_transient(status) && status != 500)
}

impl<T: Transport> Repository<T> {
    /// What a tag points to, `None` if nothing or if the registry does not tell. Some answer a GET only; what an
    /// earlier try was not answered with is then asked for once.
    pub(crate) async fn tag(&self, tag: &str) -> Result<Option<Digest>, Failure> {
        let get = self.look_up(tag);
        let head = Request {
            method: Method::HEAD,
            ..get.clone()
        };
        let response = self.transport.send(&head).await?;
        let status = response.status.as_u16();
        match status {
            401 => return Err(self.in_words(get).await),
            200 | 403 | 404 => {
                self.note_contents(&head, &response);
                let digest = response.header("docker-content-digest");
                return Ok(digest
                    .and_then(|digest| digest.parse().ok())
                    .filter(|_| status == 200));
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
            Ok(found) if found.status == 200 => {
                self.note_contents(&get, &found);
                Ok(Some(RemoteManifest::of(found).digest))
            }
            // It has words where the answer to a HEAD has none.
            Ok(found) if ends_push(&found) => {
                Err(Failure::Rejected(Box::new(Rejection::new(&get, &found))))
            }
            Ok(_) => Ok(None),
            Err(Failure::Unanswered(_)) if is_transient(status) => Err(refusal),
            Err(failure) => Err(failure),
        }
    }

    /// The refusal of a HEAD with the words that only the answer to a GET can carry.
    async fn in_words(&self, get: Request) -> Failure {
        match self.transport.send(&get).await {
            Ok(response) => Failure::Rejected(Box::new(Rejection::new(&get, &response))),
            Err(failure) => failure,
        }
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
