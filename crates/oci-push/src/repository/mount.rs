//! Taking a blob over from another repository of the same registry (distribution-spec, "Mounting a blob
//! from another repository").
//!
//! It is an economy and no more: whatever goes wrong with it, the blob is uploaded instead.

use http::Method;
use oci_archive::Descriptor;
use url::Url;

use super::{Repository, check_confirmation};
use crate::request::{Request, Transport};
use crate::step::Step;
use crate::upload::session::UploadSession;

/// What came of asking for a mount.
pub(crate) enum Mount {
    /// The repository has the blob.
    Done,
    /// It has not, and an upload session is open.
    Session(UploadSession),
    /// It has not.
    Refused,
}

impl<T: Transport> Repository<T> {
    /// Asks the registry to take a blob over from `source`.
    pub(crate) async fn mount(&self, descriptor: &Descriptor, source: &str) -> Mount {
        let mut url = self.url("blobs/uploads/");
        url.query_pairs_mut()
            .append_pair("mount", &descriptor.digest.to_string())
            .append_pair("from", source);
        let request = Request::new(Step::MountBlob, Method::POST, url).sent_once();
        let Ok(response) = self.transport.send(&request).await else {
            return Mount::Refused;
        };
        let confirmed = check_confirmation(&request, &response, &descriptor.digest).is_ok();
        match response.status.as_u16() {
            201 if confirmed => Mount::Done,
            202 => match self.opened(&request, &response) {
                Ok(session) => Mount::Session(session),
                Err(_) => Mount::Refused,
            },
            status => {
                // Only what is said of the repository, not of this moment.
                if matches!(status, 400 | 401 | 403 | 404 | 405) {
                    self.learned.refuse_mounts(source);
                }
                Mount::Refused
            }
        }
    }

    /// Whether another repository has a blob, as far as it can be found out.
    pub(crate) async fn is_blob_in(&self, source: &str, descriptor: &Descriptor) -> bool {
        let request = Request::new(
            Step::CheckBlob,
            Method::HEAD,
            self.elsewhere(source, descriptor),
        );
        let answer = self.transport.send(&request.sent_once()).await;
        answer.is_ok_and(|response| response.status == 200)
    }

    fn elsewhere(&self, source: &str, descriptor: &Descriptor) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("/v2/{source}/blobs/{}", descriptor.digest));
        url
    }
}
