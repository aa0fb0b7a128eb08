//! Whether a registry has a blob: asked before it is sent, where it is not clear whether it has arrived, and at the end.

use http::Method;
use oci_archive::{Algorithm, Descriptor, Digest};

use super::Repository;
use crate::failure::{Failure, Rejection, ViolationKind};
use crate::request::{Request, Response, Transport};
use crate::retry::is_outage;
use crate::step::Step;

/// Tries of a question that an upload answers as well.
const TRIES: u32 = 4;

/// A blob that nobody has.
const NOBODYS: &[u8] =
    b"ghcr-push asks for this blob, which nobody has, to see what it is answered";

/// What a registry says of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It has it.
    Confirmed,
    /// Another host is said to have it, which is not asked.
    Elsewhere,
    /// It does not have it.
    Absent,
    /// It does not say.
    Untold,
}

impl<T: Transport> Repository<T> {
    /// What the registry says of a blob that can be sent. It is not asked for long: a needless upload is harmless, a
    /// missing blob is not. Should one that is said to be elsewhere be missing all the same, the manifest is refused,
    /// and the blob sent after all.
    pub(crate) async fn presence(&self, descriptor: &Descriptor) -> Result<Presence, Failure> {
        let mut question = self.question(descriptor);
        question.tries = Some(TRIES);
        self.ask(&question, descriptor).await
    }

    /// Whether the registry itself has a blob that may have arrived, asked for as long as any request: what has arrived
    /// need not be sent again.
    pub(crate) async fn has_blob(&self, descriptor: &Descriptor) -> Result<bool, Failure> {
        let presence = self.ask(&self.question(descriptor), descriptor).await?;
        Ok(match presence {
            Presence::Confirmed => true,
            Presence::Elsewhere => self.sends_knowingly().await,
            Presence::Absent | Presence::Untold => false,
        })
    }

    /// Has the registry confirm that it has a blob.
    pub(crate) async fn expect_blob(&self, descriptor: &Descriptor) -> Result<(), Failure> {
        let question = self.question(descriptor);
        let is_stored = match self.transport.send(&question).await {
            Ok(response) => {
                let response = response.expect(&question, &[200, 403, 404, 405])?;
                match response.status.as_u16() {
                    200 => Some(is_whole(&response, descriptor)),
                    404 => Some(false),
                    _ => None,
                }
            }
            Err(failure) if is_redirect(&failure) => self.sends_knowingly().await.then_some(true),
            Err(failure) => return Err(failure),
        };
        let digest = descriptor.digest.clone();
        let kind = match is_stored {
            Some(true) => return Ok(()),
            Some(false) => ViolationKind::BlobNotStored(digest),
            None => ViolationKind::BlobUntold(digest),
        };
        let request = Request::new(Step::Verify, Method::HEAD, question.url);
        Err(Failure::violation(&request, kind))
    }

    fn question(&self, descriptor: &Descriptor) -> Request {
        let url = self.url(&format!("blobs/{}", descriptor.digest));
        Request::new(Step::CheckBlob, Method::HEAD, url).about(&descriptor.digest)
    }

    async fn ask(&self, question: &Request, descriptor: &Descriptor) -> Result<Presence, Failure> {
        let response = match self.transport.send(question).await {
            Ok(response) => response,
            // Registries send elsewhere only for what they have. It is not followed.
            Err(failure) if is_redirect(&failure) => return Ok(Presence::Elsewhere),
            Err(failure) => return Err(failure),
        };
        let status = response.status.as_u16();
        match status {
            200 if is_whole(&response, descriptor) => return Ok(Presence::Confirmed),
            404 => return Ok(Presence::Absent),
            _ => {}
        }
        let rejection = Rejection::new(question, &response);
        // An outage is over when something else can be sent.
        let is_final = question.tries.is_none() && is_outage(status);
        if status == 401 || is_final || (status != 200 && rejection.is_rate_limit()) {
            return Err(Failure::Rejected(Box::new(rejection)));
        }
        Ok(Presence::Untold)
    }

    /// Whether the registry sends elsewhere only for what it has: whoever sends elsewhere for what nobody has does so for
    /// everything, and says nothing by it. Asked once.
    async fn sends_knowingly(&self) -> bool {
        let asked = async {
            let digest = Digest::of(Algorithm::Sha256, NOBODYS);
            let nobodys = Descriptor::new("application/octet-stream", digest, NOBODYS.len() as u64);
            let answer = self.ask(&self.question(&nobodys), &nobodys).await;
            matches!(answer, Ok(Presence::Absent))
        };
        *self.sends_knowingly.get_or_init(|| asked).await
    }
}

fn is_redirect(failure: &Failure) -> bool {
    matches!(failure, Failure::Violation(violation)
        if matches!(violation.kind, ViolationKind::RedirectElsewhere(_)))
}

/// Whether an answer says that the registry has a blob of the right size. A page that a proxy gives for everything has
/// neither length nor digest of the blob.
fn is_whole(response: &Response, descriptor: &Descriptor) -> bool {
    let length = response.header("content-length");
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) => length == descriptor.size,
        None => response.header("docker-content-digest") == Some(&descriptor.digest.to_string()),
    }
}
