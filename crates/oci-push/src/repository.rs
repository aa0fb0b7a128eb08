//! One repository of one registry: the small requests, and what this run has learned about it.

mod contents;
mod learned;
mod mount;
mod presence;
mod tagged;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use oci_archive::{Algorithm, Digest, Manifest};
use oci_client::Reference;
use tokio::sync::OnceCell;
use url::Url;

use crate::failure::{Failure, Rejection, ViolationKind};
use crate::origin::same_origin;
use crate::profile::Profile;
use crate::request::{Body, Request, Response, Settlement, Transport};
use crate::step::Step;
use crate::upload::session::{SessionHandle, UploadSession};
pub(crate) use learned::{Contents, Learned, smaller_chunk};
pub(crate) use mount::Mount;
pub(crate) use presence::Presence;
pub(crate) use tagged::Named;
use tagged::{ends_push, named_by};

/// Manifest media types; without the index types ghcr.io answers 404 for a tag that names an index.
const ACCEPTED_MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json";

/// The limit that registries set for manifests (distribution-spec, "Pushing Manifests").
const MANIFEST_LIMIT: usize = 4 * 1024 * 1024;

/// How long a registry may take to cancel a session.
const CANCEL_DEADLINE: Duration = Duration::from_secs(2);

/// A manifest as a registry holds it.
#[derive(Debug, Clone)]
pub(crate) struct RemoteManifest {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) bytes: Bytes,
}

impl RemoteManifest {
    /// The manifest that an answer holds, with the digest that its bytes have.
    fn of(response: Response) -> Self {
        let media_type = response.header("content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default();
        Self {
            media_type: media_type.trim().to_owned(),
            digest: Digest::of(Algorithm::Sha256, &response.body),
            bytes: response.body,
        }
    }

    /// Whether it can be a manifest at all, which a page that a proxy gives for everything cannot.
    fn is_object(&self) -> bool {
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&self.bytes).is_ok()
    }
}

/// A repository that is being pushed to.
pub(crate) struct Repository<T> {
    transport: T,
    /// `https://host/v2/owner/name/`.
    base: Url,
    /// Where upload sessions are opened.
    uploads: Url,
    pub(crate) profile: Profile,
    pub(crate) learned: Learned,
    /// Sessions that may be open.
    sessions: Mutex<Vec<SessionHandle>>,
    /// Whether it sends elsewhere only for blobs that it has, once that was asked.
    sends_knowingly: OnceCell<bool>,
}

fn open_at(handle: &SessionHandle) -> Option<Url> {
    handle
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

impl<T: Transport> Repository<T> {
    pub(crate) fn new(transport: T, registry: &Url, name: &str, profile: Profile) -> Self {
        let mut base = registry.clone();
        base.set_path(&format!("/v2/{name}/"));
        let mut uploads = base.clone();
        uploads.set_path(&format!("/v2/{name}/blobs/uploads/"));
        Self {
            transport,
            base,
            uploads,
            profile,
            learned: Learned::default(),
            sessions: Mutex::default(),
            sends_knowingly: OnceCell::new(),
        }
    }

    pub(crate) fn transport(&self) -> &T {
        &self.transport
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }

    /// What a tag points to, with the manifest itself, if there is one that can be trusted.
    pub(crate) async fn manifest(
        &self,
        tag: &str,
    ) -> Result<(Named, Option<RemoteManifest>), Failure> {
        let request = self.look_up(tag);
        let response = self.transport.send(&request).await?;
        if ends_push(&response) {
            return Err(Failure::Rejected(Box::new(Rejection::new(
                &request, &response,
            ))));
        }
        self.note_contents(&request, &response);
        Ok(named_by(response))
    }

    /// Has the registry confirm that it has a manifest.
    pub(crate) async fn expect_manifest(&self, manifest: &Manifest) -> Result<(), Failure> {
        let digest = &manifest.descriptor().digest;
        let request = Request::new(
            Step::Verify,
            Method::HEAD,
            self.manifest_url(&digest.to_string()),
        )
        .header(header::ACCEPT, HeaderValue::from_static(ACCEPTED_MANIFESTS));
        let response = self.transport.send(&request).await?;
        let response = response.expect(&request, &[200])?;
        let length = response.header("content-length");
        let named = response.header("docker-content-digest");
        // A page that a proxy gives for everything has neither.
        if named.is_none() && length != Some(&manifest.bytes().len().to_string()) {
            let kind = ViolationKind::DigestDiffers {
                expected: digest.clone(),
                found: "something else".to_owned(),
            };
            return Err(Failure::violation(&request, kind));
        }
        check_confirmation(&request, &response, digest)
    }

    /// Opens an upload session, for `blob` or just to see: the first request that needs the right to push.
    pub(crate) async fn start_upload(
        &self,
        blob: Option<&Digest>,
    ) -> Result<UploadSession, Failure> {
        let mut request = Request::new(Step::StartUpload, Method::POST, self.uploads.clone());
        request.blob = blob.cloned();
        self.start(request).await
    }

    /// The same in one try, for what the answer says.
    pub(crate) async fn start_upload_once(&self) -> Result<UploadSession, Failure> {
        let url = self.uploads.clone();
        self.start(Request::new(Step::StartUpload, Method::POST, url).sent_once())
            .await
    }

    async fn start(&self, request: Request) -> Result<UploadSession, Failure> {
        let response = self.transport.send(&request).await?;
        // What counts is that there is an address to go on with.
        let response = response.expect(&request, &[202, 201, 200, 204])?;
        self.opened(&request, &response)
    }

    /// Where upload sessions are opened.
    pub(crate) fn uploads(&self) -> &Url {
        &self.uploads
    }

    /// The session that an answer opens, kept in mind for [`Repository::cancel_sessions`].
    fn opened(&self, request: &Request, response: &Response) -> Result<UploadSession, Failure> {
        let session = UploadSession::open(request, response)?;
        let mut sessions = self.sessions();
        sessions.retain(|handle| open_at(handle).is_some());
        sessions.push(session.handle());
        Ok(session)
    }

    /// The session at an address that an earlier run was given, if it is this registry's.
    pub(crate) fn reopened(&self, url: &str) -> Option<UploadSession> {
        let url = Url::parse(url).ok()?;
        same_origin(&self.base, &url).then(|| UploadSession::at(url))
    }

    /// `https://host/v2/owner/name/`.
    pub(crate) fn address(&self) -> &str {
        self.base.as_str()
    }

    /// Cancels the sessions that are open, as far as the registry takes that: best effort, for a push that
    /// ends early (distribution-spec, "Cancel a blob upload").
    pub(crate) async fn cancel_sessions(&self) {
        let handles = std::mem::take(&mut *self.sessions());
        let requests: Vec<Request> = handles
            .iter()
            .filter_map(open_at)
            .map(|url| {
                Request::new(Step::CancelUpload, Method::DELETE, url)
                    .sent_once()
                    .deadline(CANCEL_DEADLINE)
            })
            .collect();
        let sent = requests.iter().map(|request| self.transport.send(request));
        // Nobody waits for a refusal; sessions expire by themselves.
        let _ = futures_util::future::join_all(sent).await;
    }

    fn sessions(&self) -> MutexGuard<'_, Vec<SessionHandle>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a manifest, byte for byte, under its digest or a tag. Tells whether the registry lists it
    /// itself as being about another one (distribution-spec, "Pushing Manifests with Subject").
    pub(crate) async fn put_manifest(
        &self,
        manifest: &Manifest,
        tag: Option<&str>,
    ) -> Result<bool, Failure> {
        let descriptor = manifest.descriptor();
        let digest = &descriptor.digest;
        let (step, url) = match tag {
            Some(tag) => (Step::PutTag, self.manifest_url(tag)),
            None => (Step::PutManifest, self.manifest_url(&digest.to_string())),
        };
        let question = Request::new(Step::CheckManifest, Method::HEAD, url.clone())
            .header(header::ACCEPT, HeaderValue::from_static(ACCEPTED_MANIFESTS));
        let mut request =
            Request::new(step, Method::PUT, url).body(Body::Bytes(manifest.bytes().clone()));
        request.settled_by = Some(Arc::new(Settlement {
            question,
            digest: digest.clone(),
        }));
        let request = match HeaderValue::from_str(&descriptor.media_type) {
            Ok(media_type) => request.header(header::CONTENT_TYPE, media_type),
            // A media type that cannot be a header is the registry's to refuse.
            Err(_) => request,
        };
        let response = self
            .transport
            .send(&request)
            .await?
            .expect(&request, &[201, 200, 202, 204])?;
        check_confirmation(&request, &response, digest)?;
        let names_digest = response.header("docker-content-digest").is_some();
        if !names_digest {
            self.learned.leave_out_digests();
        }
        let is_confirmed = response.status == 201 || names_digest;
        if !is_confirmed {
            self.expect_manifest(manifest).await?;
        }
        Ok(response.header("oci-subject").is_some())
    }

    fn manifest_url(&self, reference: &str) -> Url {
        self.url(&format!("manifests/{reference}"))
    }
}

/// What the root is published under. A reference that names a digest only is taken at its word: the
/// registry refuses it if the image has another.
pub(crate) fn tag_of(reference: &Reference) -> &str {
    let digest = reference.digest();
    reference.tag().or(digest).unwrap_or("latest")
}

/// Refuses a confirmation that names another digest than the one that was sent.
pub(crate) fn check_confirmation(
    request: &Request,
    response: &Response,
    digest: &Digest,
) -> Result<(), Failure> {
    match response.header("docker-content-digest") {
        // In another algorithm it says nothing about ours.
        Some(found) if found != digest.to_string() && is_of_algorithm(found, digest) => {
            let kind = ViolationKind::DigestDiffers {
                expected: digest.clone(),
                found: found.to_owned(),
            };
            Err(Failure::violation(request, kind))
        }
        _ => Ok(()),
    }
}

fn is_of_algorithm(found: &str, digest: &Digest) -> bool {
    let other: Result<Digest, _> = found.parse();
    other.is_ok_and(|other| other.algorithm() == digest.algorithm()) || !found.contains(':')
}
