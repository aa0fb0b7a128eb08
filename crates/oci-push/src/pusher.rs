//! What pushes: the HTTP client with its settings, and the repositories one after the other.

mod probe;
mod walk;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use oci_archive::{Draft, Image};
use oci_client::Reference;
use url::Url;

use crate::auth::{AuthSettings, AuthTransport, Keychain};
use crate::clock::{Clock, SystemClock};
use crate::failure::Failure;
use crate::finishing::{Finishing, Workshop};
use crate::http::HttpTransport;
use crate::journal::{NoJournal, SessionJournal};
use crate::observer::Observer;
use crate::options::PushOptions;
use crate::pace::Pace;
use crate::plan::{PlanError, PushPlan};
use crate::profile::Profile;
use crate::publication::{Chain, Claims, Lanes, Publication};
use crate::report::{PushError, PushReport};
use crate::repository::Repository;
use crate::retry::{Packages, RetryPolicy, RetryTransport, Teller};
use crate::tally::Tally;
use walk::{Walk, by_repository, sources};

/// What every part of a push may use.
pub(crate) struct Services {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) retry: RetryPolicy,
    pub(crate) packages: Arc<Packages>,
    pub(crate) teller: Arc<Teller>,
    /// Where sessions are kept beyond this run.
    pub(crate) journal: Arc<dyn SessionJournal>,
    /// The limit on all uploads together.
    pub(crate) pace: Option<Arc<Pace>>,
}

/// Pushes images.
pub struct Pusher {
    options: PushOptions,
    keychain: Arc<dyn Keychain>,
    services: Services,
    transport: Arc<RetryTransport<HttpTransport>>,
    /// Whether the machine has certificates of its own.
    system_roots: bool,
    /// The repositories that were pushed to.
    repositories: Mutex<Vec<Arc<Repository<Chain>>>>,
}

impl Pusher {
    /// Sets up the HTTP client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`Failure::Client`] if the proxy or certificate settings of the machine are unusable.
    pub fn new(
        options: PushOptions,
        keychain: Arc<dyn Keychain>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, Failure> {
        Self::with_clock(options, keychain, observer, Arc::new(SystemClock))
    }

    /// The same with another source of time and chance.
    ///
    /// # Errors
    ///
    /// As [`Pusher::new`].
    pub fn with_clock(
        options: PushOptions,
        keychain: Arc<dyn Keychain>,
        observer: Arc<dyn Observer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let tally = Arc::new(Tally::default());
        let http = HttpTransport::new(&options.http, Arc::clone(&tally))?;
        let system_roots = http.has_system_roots();
        let transport = RetryTransport::new(
            http,
            options.retry.clone(),
            Arc::clone(&clock),
            Arc::clone(&observer),
            Arc::clone(&tally),
        );
        Ok(Self {
            keychain,
            services: Services {
                clock,
                observer,
                tally,
                retry: options.retry.clone(),
                packages: transport.packages(),
                teller: transport.teller(),
                journal: Arc::new(NoJournal),
                pace: options.limit_rate.map(|rate| Arc::new(Pace::new(rate))),
            },
            options,
            transport: Arc::new(transport),
            system_roots,
            repositories: Mutex::default(),
        })
    }

    /// The same with a journal, by which uploads of large blobs that an earlier run has begun go on.
    #[must_use]
    pub fn with_journal(mut self, journal: Arc<dyn SessionJournal>) -> Self {
        self.services.journal = journal;
        self
    }

    /// Cancels what a push that was dropped or has failed left open, as far as the registries take that
    /// within two seconds.
    pub async fn abandon(&self) {
        const PATIENCE: Duration = Duration::from_secs(2);
        let repositories = {
            let mut known = self
                .repositories
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *known)
        };
        let cancelled = repositories
            .iter()
            .map(|repository| repository.cancel_sessions());
        // What is not cancelled by then expires by itself.
        let _ = tokio::time::timeout(PATIENCE, join_all(cancelled)).await;
    }

    /// Publishes `image` under every one of `references`. Blobs go up once per repository.
    ///
    /// # Errors
    ///
    /// [`PushError`] with the first failure, and with what had been published until then.
    pub async fn push(
        &self,
        image: &Image,
        references: &[Reference],
    ) -> Result<PushReport, Box<PushError>> {
        let start = self.services.clock.now();
        let mut report = PushReport::new(references);
        report.identify(image);
        report.expect(&image.root().descriptor().digest);
        let groups = by_repository(references);
        for _ in &groups {
            let sizes = image.blobs().iter().map(|blob| blob.descriptor.size);
            report.blobs.count(sizes);
        }
        let mut walk = Walk::default();
        for group in groups {
            if walk.may_try(&group) {
                let outcome = match self.publication(&group, &walk.done) {
                    Ok(publication) => {
                        let outcome = publication.publish(image, &mut report).await;
                        publication.claims.correct(&mut report.blobs);
                        outcome
                    }
                    Err(failure) => Err(failure),
                };
                walk.take(&group, outcome);
            }
        }
        self.conclude(report, start, walk.failed.map_or(Ok(()), Err))
    }

    /// Publishes what `draft` becomes under every one of `references`. Layers are compressed in `workshop`,
    /// each once, while those that are finished go up already; nothing is compressed that a registry has.
    ///
    /// # Errors
    ///
    /// As [`Pusher::push`]; a layer that cannot be finished is [`Failure::Layer`].
    pub async fn push_draft(
        &self,
        draft: &Draft,
        workshop: &Workshop,
        references: &[Reference],
    ) -> Result<PushReport, Box<PushError>> {
        let start = self.services.clock.now();
        let mut report = PushReport::new(references);
        let finishing = Finishing::new(draft, workshop, Arc::clone(&self.services.observer));
        let mut walk = Walk::default();
        for group in by_repository(references) {
            if walk.may_try(&group) {
                let outcome = match self.publication(&group, &walk.done) {
                    Ok(publication) => {
                        let outcome = publication.publish_draft(&finishing, &mut report).await;
                        publication.claims.correct(&mut report.blobs);
                        outcome
                    }
                    Err(failure) => Err(failure),
                };
                walk.take(&group, outcome);
            }
        }
        self.conclude(report, start, walk.failed.map_or(Ok(()), Err))
    }

    /// Finds out what [`Pusher::push`] would do. Only small requests are sent, none of which changes
    /// anything.
    ///
    /// # Errors
    ///
    /// [`PlanError`] if a registry cannot be asked, with what was found out of the others; with [`Failure::Exists`] if
    /// `no_clobber` would refuse a tag, which the plan tells as well.
    pub async fn plan(
        &self,
        image: &Image,
        references: &[Reference],
    ) -> Result<PushPlan, Box<PlanError>> {
        let mut plan = PushPlan::default();
        let mut walk = Walk::default();
        for group in by_repository(references) {
            if walk.may_try(&group) {
                let outcome = match self.publication(&group, &[]) {
                    Ok(publication) => publication.plan(image, &mut plan).await,
                    Err(failure) => Err(failure),
                };
                walk.take(&group, outcome);
            }
        }
        planned(plan, walk)
    }

    /// Finds out what [`Pusher::push_draft`] would do, without compressing anything.
    ///
    /// # Errors
    ///
    /// As [`Pusher::plan`].
    pub async fn plan_draft(
        &self,
        draft: &Draft,
        workshop: &Workshop,
        references: &[Reference],
    ) -> Result<PushPlan, Box<PlanError>> {
        let mut plan = PushPlan::default();
        let finishing = Finishing::new(draft, workshop, Arc::clone(&self.services.observer));
        let mut walk = Walk::default();
        for group in by_repository(references) {
            if walk.may_try(&group) {
                let outcome = match self.publication(&group, &[]) {
                    Ok(publication) => publication.plan_draft(draft, &finishing, &mut plan).await,
                    Err(failure) => Err(failure),
                };
                walk.take(&group, outcome);
            }
        }
        planned(plan, walk)
    }

    fn conclude(
        &self,
        mut report: PushReport,
        start: Instant,
        outcome: Result<(), Failure>,
    ) -> Result<PushReport, Box<PushError>> {
        report.requests = self.services.tally.requests();
        report.retries = self.services.tally.retries();
        report.duration = self.services.clock.now().duration_since(start);
        match outcome {
            Ok(()) => Ok(report),
            Err(failure) => Err(Box::new(PushError { report, failure })),
        }
    }

    /// What is to be done in one repository; all of `references` name it. The image is in the repositories
    /// of `done` already.
    fn publication<'a>(
        &'a self,
        references: &[&'a Reference],
        done: &[&Reference],
    ) -> Result<Publication<'a>, Failure> {
        let [first, ..] = references else {
            return Err(Failure::Client("no reference was given".into()));
        };
        let registry = self.registry(first)?;
        // Where the image is for certain comes first.
        let sources = sources(first, done.iter().copied().chain(&self.options.mount_from));
        let repository = Arc::new(self.repository(&registry, first, sources.clone()));
        self.repositories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::clone(&repository));
        Ok(Publication {
            repository,
            references: references.to_vec(),
            options: &self.options,
            services: &self.services,
            system_roots: self.system_roots,
            lanes: Lanes::new(
                self.options.jobs,
                self.services.clock.now(),
                &self.services.tally,
            ),
            sources,
            claims: Claims::default(),
        })
    }

    fn registry(&self, reference: &Reference) -> Result<Url, Failure> {
        let scheme = if self.options.plain_http {
            "http"
        } else {
            "https"
        };
        let host = reference.resolve_registry();
        Url::parse(&format!("{scheme}://{host}/")).map_err(|error| Failure::Client(error.into()))
    }

    fn repository(
        &self,
        registry: &Url,
        reference: &Reference,
        sources: Vec<String>,
    ) -> Repository<Chain> {
        let profile = self.profile(reference);
        if let Some(rates) = profile.rates() {
            self.transport.hold_to(registry, rates);
        }
        if profile.settles_rights() {
            self.services.packages.expect_delay(registry);
        }
        let settings = AuthSettings {
            sources,
            ..self.authorization(registry, reference, profile)
        };
        let transport = AuthTransport::new(Arc::clone(&self.transport), settings);
        Repository::new(transport, registry, reference.repository(), profile)
    }

    /// How requests to one repository alone are authorized.
    fn authorization(
        &self,
        registry: &Url,
        reference: &Reference,
        profile: Profile,
    ) -> AuthSettings {
        AuthSettings {
            registry: registry.clone(),
            host: reference.resolve_registry().to_owned(),
            repository: reference.repository().to_owned(),
            sources: Vec::new(),
            token_service: profile.token_service(registry),
            keychain: Arc::clone(&self.keychain),
            clock: Arc::clone(&self.services.clock),
            observer: Arc::clone(&self.services.observer),
        }
    }

    /// What kind of registry it is.
    fn profile(&self, reference: &Reference) -> Profile {
        let of_host = || Profile::of_host(reference.registry());
        self.options.profile.unwrap_or_else(of_host)
    }
}

/// The outcome of a walk for a plan.
fn planned(plan: PushPlan, walk: Walk<'_>) -> Result<PushPlan, Box<PlanError>> {
    match walk.failed {
        None => Ok(plan),
        Some(failure) => Err(Box::new(PlanError { plan, failure })),
    }
}
