//! Authentication around everything else: one token for all requests of a repository, one refresh for
//! all that met its end.
//!
//! A request is sent with the token of some generation. If the answer is 401, whoever comes first
//! fetches the next generation while the others wait for it, and every one of them sends its own
//! request value again. The credential goes to the registry's token service only, the token to the
//! registry's own origin only.

mod challenge;
mod keychain;
mod token;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{StatusCode, header};
use secrecy::SecretString;
use tokio::sync::Mutex;
use url::Url;

pub use challenge::Challenge;
pub use keychain::{Credentials, FixedKeychain, Keychain};

use crate::clock::Clock;
use crate::failure::{Failure, Rejection, ViolationKind};
use crate::observer::{Event, Observer};
use crate::origin::{same_origin, trusted_realm};
use crate::request::{Request, Response, Transport};
use crate::step::Step;
use token::Authorization;

/// For whom and for what tokens are fetched.
pub(crate) struct AuthSettings {
    /// The registry's origin.
    pub(crate) registry: Url,
    /// The registry's host as references name it, which is what credentials are kept by.
    pub(crate) host: String,
    /// `owner/name`.
    pub(crate) repository: String,
    /// Repositories to read from besides, as far as the token service allows it.
    pub(crate) sources: Vec<String>,
    /// The token service, where it is known without a challenge.
    pub(crate) token_service: Option<(Url, String)>,
    pub(crate) keychain: Arc<dyn Keychain>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
}

/// Adds authorization to requests and renews it.
pub(crate) struct AuthTransport<T> {
    inner: T,
    settings: AuthSettings,
    state: Mutex<State>,
    /// Requests whose authorization was taken.
    taken: AtomicU64,
}

#[derive(Default)]
struct State {
    /// 0 until the first authorization arrives.
    generation: u64,
    authorization: Option<Authorization>,
    challenge: Option<Challenge>,
    /// Whether the token service has refused what concerns the other repositories.
    sources_refused: bool,
    /// Whether the present token was asked for with them.
    with_sources: bool,
}

impl<T: Transport> AuthTransport<T> {
    pub(crate) fn new(inner: T, settings: AuthSettings) -> Self {
        let challenge = settings
            .token_service
            .as_ref()
            .map(|(realm, service)| Challenge::Bearer {
                realm: realm.to_string(),
                service: Some(service.clone()),
            });
        Self {
            inner,
            settings,
            state: Mutex::new(State {
                challenge,
                ..State::default()
            }),
            taken: AtomicU64::default(),
        }
    }

    /// The present bearer token, for the reading side.
    pub(crate) async fn bearer(&self) -> Option<SecretString> {
        let state = self.state.lock().await;
        state.authorization.as_ref()?.bearer.clone()
    }

    /// Whether the registry asked for the credential itself instead of a token.
    pub(crate) async fn is_basic(&self) -> bool {
        let state = self.state.lock().await;
        matches!(state.challenge, Some(Challenge::Basic)) && state.authorization.is_some()
    }

    async fn authorized(&self, request: &Request) -> Result<Response, Failure> {
        /// A token may end while it is fetched; a registry that refuses one after the other wants
        /// something else, unless it takes them from other requests.
        const REFRESHES: usize = 5;
        const REFRESHES_IN_VAIN: usize = 2;
        let (mut generation, authorization) = self.present(request).await?;
        let mut response = self.send_with(request, authorization.as_ref()).await?;
        let mut taken = self.taken.load(Ordering::Relaxed);
        for refresh in 0..REFRESHES {
            if response.status != StatusCode::UNAUTHORIZED {
                break;
            }
            let taken_before = std::mem::replace(&mut taken, self.taken.load(Ordering::Relaxed));
            if refresh >= REFRESHES_IN_VAIN && taken == taken_before {
                break;
            }
            let newer = self.newer_than(generation, request, &response).await?;
            let Some((newest, authorization)) = newer else {
                break;
            };
            if matches!(request.step, Step::UploadBlob | Step::CommitBlob) {
                // The session may hold the blob, or a part of it, from the refused request: whoever uploads
                // begins another one, with the new token.
                break;
            }
            generation = newest;
            response = self.send_with(request, Some(&authorization)).await?;
        }
        let is_refused = matches!(response.status.as_u16(), 401 | 403);
        if is_refused
            && is_own_write(request.step)
            && let Some(authorization) = self.without_sources(generation, request).await?
        {
            response = self.send_with(request, Some(&authorization)).await?;
        }
        Ok(response)
    }

    /// A token for the repository alone, in place of one for others as well: a token service may have
    /// understood another right than the one that counts. `None` if the token of `generation` was one already.
    async fn without_sources(
        &self,
        generation: u64,
        request: &Request,
    ) -> Result<Option<Authorization>, Failure> {
        if self.settings.sources.is_empty() {
            return Ok(None);
        }
        let mut state = self.state.lock().await;
        if state.with_sources {
            state.sources_refused = true;
            self.renew(&mut state, request).await?;
        } else if state.generation == generation {
            return Ok(None);
        }
        Ok(state.authorization.clone())
    }

    async fn send_with(
        &self,
        request: &Request,
        authorization: Option<&Authorization>,
    ) -> Result<Response, Failure> {
        match authorization {
            Some(authorization) if same_origin(&self.settings.registry, &request.url) => {
                let request = request
                    .clone()
                    .header(header::AUTHORIZATION, authorization.header.clone());
                let answer = self.inner.send(&request).await;
                if answer.as_ref().is_ok_and(|it| it.status.is_success()) {
                    self.taken.fetch_add(1, Ordering::Relaxed);
                }
                answer
            }
            _ => self.inner.send(request).await,
        }
    }

    /// The authorization to try first. Fetched beforehand where the token service is known or the
    /// token is about to end; otherwise the registry's 401 says what it wants.
    async fn present(&self, request: &Request) -> Result<(u64, Option<Authorization>), Failure> {
        let mut state = self.state.lock().await;
        let due = match &state.authorization {
            Some(authorization) => authorization
                .renew_at
                .is_some_and(|at| self.settings.clock.now() >= at),
            None => state.challenge.is_some(),
        };
        if due {
            self.renew(&mut state, request).await?;
        }
        Ok((state.generation, state.authorization.clone()))
    }

    /// An authorization newer than the one that `response` refused, `None` if there is no way to one.
    async fn newer_than(
        &self,
        generation: u64,
        request: &Request,
        response: &Response,
    ) -> Result<Option<(u64, Authorization)>, Failure> {
        let mut state = self.state.lock().await;
        let is_over = |authorization: &Authorization| {
            let now = self.settings.clock.now();
            authorization.renew_at.is_some_and(|at| now >= at)
        };
        // A long upload may meet a 401 when even the token that others fetched meanwhile has ended.
        if state.generation == generation || state.authorization.as_ref().is_some_and(is_over) {
            match Challenge::best(&response.headers) {
                Some(challenge) => state.challenge = Some(challenge),
                None if state.challenge.is_some() => {}
                None if response.headers.contains_key(header::WWW_AUTHENTICATE) => {
                    return Err(Failure::violation(request, ViolationKind::NoKnownChallenge));
                }
                None => return Ok(None),
            }
            if !self.renew(&mut state, request).await? {
                return Ok(None);
            }
        }
        let generation = state.generation;
        Ok(state
            .authorization
            .clone()
            .map(|authorization| (generation, authorization)))
    }

    /// Fetches the next generation; `false` if the registry wants a credential and there is none.
    async fn renew(&self, state: &mut State, request: &Request) -> Result<bool, Failure> {
        let Some(challenge) = state.challenge.clone() else {
            return Ok(false);
        };
        let settings = &self.settings;
        let authorization = match &challenge {
            Challenge::Basic => {
                let Some(credentials) = self.credentials().await else {
                    return Ok(false);
                };
                let newest = token::basic(&credentials);
                // A credential that was refused once is not presented again.
                let present = state.authorization.as_ref();
                let is_other = |newest: &Authorization| {
                    present.is_none_or(|present| present.header != newest.header)
                };
                newest.filter(is_other)
            }
            Challenge::Bearer { realm, service } => {
                let realm = self.realm(request, realm)?;
                Some(self.token(state, &realm, service.as_deref()).await?)
            }
        };
        let renewed = authorization.is_some();
        if renewed {
            state.authorization = authorization;
            state.generation += 1;
            let generation = state.generation;
            settings
                .observer
                .observe(&Event::TokenFetched { generation });
        }
        Ok(renewed)
    }

    /// A token for the repository and those to read from; for the repository alone where the token service
    /// refuses the whole for the sake of the others.
    async fn token(
        &self,
        state: &mut State,
        realm: &Url,
        service: Option<&str>,
    ) -> Result<Authorization, Failure> {
        let settings = &self.settings;
        let own = format!("repository:{}:pull,push", settings.repository);
        if !settings.sources.is_empty() && !state.sources_refused {
            let others = settings.sources.iter();
            let others = others.map(|source| format!("repository:{source}:pull"));
            let scopes: Vec<String> = std::iter::once(own.clone()).chain(others).collect();
            match self.token_for(realm, service, &scopes).await {
                Err(Failure::Rejected(rejection)) if rejection.status.is_client_error() => {
                    state.sources_refused = true;
                }
                result => {
                    state.with_sources = true;
                    return result;
                }
            }
        }
        state.with_sources = false;
        self.token_for(realm, service, &[own]).await
    }

    /// A token from the token service. Where the credential is refused, the keychain is asked once more: the secret
    /// may have been rotated since.
    async fn token_for(
        &self,
        realm: &Url,
        service: Option<&str>,
        scopes: &[String],
    ) -> Result<Authorization, Failure> {
        let fetch = async |credentials: Option<&Credentials>| {
            let fetched = self.fetched(realm, service, scopes, credentials).await?;
            if let Some(bearer) = &fetched.bearer {
                self.settings.keychain.issued(bearer);
            }
            Ok(fetched)
        };
        let credentials = self.credentials().await;
        let refusal = match fetch(credentials.as_ref()).await {
            Err(Failure::Rejected(rejection)) if is_refusal(&rejection) => rejection,
            outcome => return outcome,
        };
        if let Some(refused) = credentials
            && let Some(newer) = self.credentials().await
            && !newer.is_same(&refused)
        {
            return fetch(Some(&newer)).await;
        }
        Err(Failure::Rejected(refusal))
    }

    /// A token; asked for again where the answer is none that a token service gives.
    async fn fetched(
        &self,
        realm: &Url,
        service: Option<&str>,
        scopes: &[String],
        credentials: Option<&Credentials>,
    ) -> Result<Authorization, Failure> {
        const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
        let AuthSettings {
            clock, observer, ..
        } = &self.settings;
        let mut tries = (1..).zip(WAITS);
        loop {
            let fetched =
                token::fetch(&self.inner, realm, service, scopes, credentials, &**clock).await;
            let Some(kind) = fetched.as_ref().err().and_then(token::no_token) else {
                return fetched;
            };
            let Some((attempt, wait)) = tries.next() else {
                return fetched;
            };
            observer.observe(&Event::Retrying {
                step: Step::FetchToken,
                digest: None,
                cause: &kind.to_string(),
                wait,
                attempt,
            });
            clock.sleep(wait).await;
        }
    }

    /// Checked before any credential is so much as looked up.
    fn realm(&self, request: &Request, realm: &str) -> Result<Url, Failure> {
        Url::parse(realm)
            .ok()
            .filter(|realm| trusted_realm(&self.settings.registry, realm))
            .ok_or_else(|| {
                Failure::violation(request, ViolationKind::RealmElsewhere(realm.to_owned()))
            })
    }

    async fn credentials(&self) -> Option<Credentials> {
        let settings = &self.settings;
        let (host, repository) = (&settings.host, &settings.repository);
        settings.keychain.credentials_for(host, repository).await
    }
}

/// Whether a small request of this kind needs the right to push.
fn is_own_write(step: Step) -> bool {
    matches!(step, Step::StartUpload | Step::PutManifest | Step::PutTag)
}

/// Whether a token service does not take the credential. ghcr.io's says 403 where others say 401.
fn is_refusal(rejection: &Rejection) -> bool {
    let status = rejection.status;
    let is_refused = status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN;
    is_refused && !rejection.is_rate_limit()
}

impl<T: Transport> Transport for AuthTransport<T> {
    fn send<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Response, Failure>> {
        Box::pin(self.authorized(request))
    }
}
