//! What a tag names, for whoever is about to write another manifest in its place, and must not lose
//! anything.

use http::{HeaderValue, Method, header};

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
        let found = RemoteManifest::of(response.clone());
        check_confirmation(&request, &response, &found.digest)?;
        Ok(Some(found))
    }

    /// The request that asks what a tag names.
    pub(crate) fn look_up(&self, tag: &str) -> Request {
        let mut request = Request::new(Step::CheckManifest, Method::GET, self.manifest_url(tag))
            .header(header::ACCEPT, HeaderValue::from_static(ACCEPTED_MANIFESTS));
        request.response_limit = MANIFEST_LIMIT;
        request
    }
}
