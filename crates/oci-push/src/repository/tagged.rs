//! What a tag names, for whoever is about to write another manifest in its place, and must not lose
//! anything.

use http::{HeaderValue, Method, header};
use oci_archive::Digest;

use super::{ACCEPTED_MANIFESTS, MANIFEST_LIMIT, RemoteManifest, Repository, check_confirmation};
use crate::failure::{Failure, Rejection};
use crate::request::{Request, Transport};
use crate::retry::is_transient;
use crate::step::Step;

impl<T: Transport> Repository<T> {
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
