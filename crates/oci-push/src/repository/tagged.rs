//! What a tag names, for whoever is about to write another manifest in its place, and must not lose
//! anything.

use http::{HeaderValue, Method, header};
use oci_archive::{Algorithm, Digest};

use super::{ACCEPTED_MANIFESTS, MANIFEST_LIMIT, RemoteManifest, Repository, check_confirmation};
use crate::failure::Failure;
use crate::request::{Request, Transport};
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
        let digest = Digest::of(Algorithm::Sha256, &response.body);
        check_confirmation(&request, &response, &digest)?;
        let media_type = response.header("content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default();
        Ok(Some(RemoteManifest {
            media_type: media_type.trim().to_owned(),
            digest,
            bytes: response.body,
        }))
    }

    /// The request that asks what a tag names.
    pub(crate) fn look_up(&self, tag: &str) -> Request {
        let mut request = Request::new(Step::CheckManifest, Method::GET, self.manifest_url(tag))
            .header(header::ACCEPT, HeaderValue::from_static(ACCEPTED_MANIFESTS));
        request.response_limit = MANIFEST_LIMIT;
        request
    }
}
