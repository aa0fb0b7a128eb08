//! Questions beside a push: may it be, does the repository exist, and what are the words of a refusal that
//! came without any.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Method, StatusCode};
use oci_client::Reference;
use url::Url;

use super::Pusher;
use crate::auth::{AuthSettings, AuthTransport};
use crate::failure::{Failure, Rejection};
use crate::observer::Silent;
use crate::publication::Publication;
use crate::request::{Request, Response, Transport};
use crate::step::Step;

/// How long an answer is waited for that a push can do without, retries included.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same where the answer only helps to advise, and everything else goes on meanwhile.
const ASIDE: Duration = Duration::from_secs(3);

impl Pusher {
    /// Asks whether the credential may push to the repository that `reference` names, by opening an upload
    /// session, and cancels that again where the registry lets it. Nothing is stored by that, nor is a package
    /// created; on ghcr.io, which cancels none, the session expires
    /// (<https://github.com/radius-project/radius/pull/12623>).
    ///
    /// # Errors
    ///
    /// The registry's refusal, or why it cannot be asked.
    pub async fn may_push(&self, reference: &Reference) -> Result<(), Failure> {
        let publication = self.publication(&[reference], &[])?;
        let opened = publication.repository.start_upload(None).await;
        publication.repository.cancel_sessions().await;
        opened.map(drop)
    }

    /// Whether there is a repository of this name, `None` if the registry does not say at once: it is asked once, and
    /// for three seconds.
    pub async fn has_repository(&self, reference: &Reference) -> Option<bool> {
        let registry = self.registry(reference).ok()?;
        let settings = AuthSettings {
            // What comes of it is nobody's progress.
            observer: Arc::new(Silent),
            ..self.authorization(&registry, reference, self.profile(reference))
        };
        let transport = AuthTransport::new(Once(Arc::clone(&self.transport)), settings);
        let mut url = registry;
        url.set_path(&format!("/v2/{}/tags/list", reference.repository()));
        url.set_query(Some("n=1"));
        let request = Request::new(Step::CheckManifest, Method::GET, url);
        let answer = transport.send(&request);
        let answer = tokio::time::timeout(ASIDE, answer).await.ok()?;
        match answer.ok()?.status.as_u16() {
            200 => Some(true),
            404 => Some(false),
            _ => None,
        }
    }

    /// The same failure with the registry's words, if it is a refusal that came without any and the registry
    /// says them when it is asked again.
    ///
    /// The answer to a HEAD has no body. So the same is asked with GET, and then, if only access was refused, for an
    /// upload session (<https://github.com/containerd/containerd/pull/13547> does the first). If neither is refused, the
    /// failure stays what it was.
    pub async fn with_words(&self, reference: &Reference, failure: Failure) -> Failure {
        // A limit says all there is to say, and whoever asks again waits for its end.
        let is_asked = |one: &&Rejection| is_mute(one) && !one.is_rate_limit();
        let Some(rejection) = failure.rejection().filter(is_asked) else {
            return failure;
        };
        let asked = tokio::time::timeout(PATIENCE, self.words(reference, rejection));
        asked.await.ok().flatten().unwrap_or(failure)
    }

    async fn words(&self, reference: &Reference, rejection: &Rejection) -> Option<Failure> {
        let publication = self.publication(&[reference], &[]).ok()?;
        if let Some(worded) = get_again(&publication, rejection).await {
            return Some(worded);
        }
        if !is_of_access(rejection.status) {
            return None;
        }
        let opened = publication.repository.start_upload(None).await;
        publication.repository.cancel_sessions().await;
        opened.err().filter(has_words)
    }
}

/// Sends each request once, those for tokens too: what is done beside a push spends nothing of its budget.
struct Once<T>(T);

impl<T: Transport> Transport for Once<T> {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, Failure>> {
        Box::pin(async move {
            let request = request.clone().sent_once();
            self.0.send(&request).await
        })
    }
}

/// The same question as a GET, if that is refused with words.
async fn get_again(publication: &Publication<'_>, rejection: &Rejection) -> Option<Failure> {
    if rejection.method != Method::HEAD {
        return None;
    }
    let url = Url::parse(&rejection.url).ok()?;
    let request = Request::new(rejection.step, Method::GET, url);
    let transport = publication.repository.transport();
    let response = transport.send(&request).await.ok()?;
    // That the thing is not there, for one, is no reason why it might not be looked at.
    let is_same = response.status == rejection.status
        || (is_of_access(response.status) && is_of_access(rejection.status));
    let worded = Failure::Rejected(Box::new(Rejection::new(&request, &response)));
    (is_same && has_words(&worded)).then_some(worded)
}

fn is_of_access(status: StatusCode) -> bool {
    matches!(status.as_u16(), 401 | 403)
}

/// Whether it is a client's error without a word.
fn is_mute(rejection: &Rejection) -> bool {
    rejection.status.is_client_error()
        && rejection.errors.is_empty()
        && rejection.words().trim().is_empty()
}

fn has_words(failure: &Failure) -> bool {
    failure.rejection().is_some_and(|one| !is_mute(one))
}
