//! The walk of a push: blobs, then manifests children first, then tags, then a look at what they name.
//!
//! Not one byte of a blob travels before a small authorised request has succeeded (the one that starts
//! the upload), and no tag moves before everything it names is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use oci_archive::{Blob, Image, Manifest};
use oci_client::Reference;
use tokio::sync::Semaphore;
use url::Url;

use crate::auth::{AuthSettings, AuthTransport, Keychain};
use crate::batch::Batch;
use crate::clock::{Clock, SystemClock};
use crate::failure::Failure;
use crate::http::HttpTransport;
use crate::observer::{Event, Observer};
use crate::options::{PushOptions, Verify};
use crate::profile::Profile;
use crate::report::{BlobCounts, PushError, PushReport, ReferenceReport, ReferenceStatus};
use crate::repository::{Repository, tag_of};
use crate::request::Transport;
use crate::retry::{RetryPolicy, RetryTransport};
use crate::tally::Tally;
use crate::upload::{BlobUpload, UploadSettings};
use crate::verify::{self, Reader};

/// Small requests in flight at a time. They cost the registry little and the push a round trip each.
const CONTROL_WIDTH: usize = 16;

/// Blobs under way at a time, those included that wait for a slot or for their commit.
const BLOBS_UNDER_WAY: usize = 32;

/// What every part of a push may use.
pub(crate) struct Services {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) retry: RetryPolicy,
}

type Chain = AuthTransport<Arc<RetryTransport<HttpTransport>>>;

/// Pushes images.
pub struct Pusher {
    options: PushOptions,
    keychain: Arc<dyn Keychain>,
    services: Services,
    transport: Arc<RetryTransport<HttpTransport>>,
    /// Whether the machine has certificates of its own.
    system_roots: bool,
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
            },
            options,
            transport: Arc::new(transport),
            system_roots,
        })
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
        let mut report = PushReport::new(image, references);
        let mut outcome = Ok(());
        for group in by_repository(references) {
            outcome = self.push_to(image, &group, &mut report).await;
            if outcome.is_err() {
                break;
            }
        }
        report.requests = self.services.tally.requests();
        report.retries = self.services.tally.retries();
        report.duration = self.services.clock.now().duration_since(start);
        match outcome {
            Ok(()) => Ok(report),
            Err(failure) => Err(Box::new(PushError { report, failure })),
        }
    }

    /// Pushes to one repository; all of `references` name it.
    async fn push_to(
        &self,
        image: &Image,
        references: &[&Reference],
        report: &mut PushReport,
    ) -> Result<(), Failure> {
        let Some(first) = references.first() else {
            return Ok(());
        };
        let registry = self.registry(first)?;
        let repository = self.repository(&registry, first);
        let root = image.root();
        self.services.observer.observe(&Event::RepositoryStarted {
            repository: &format!("{}/{}", first.registry(), first.repository()),
            blobs: image.blobs().len(),
            bytes: image.blobs().iter().map(|blob| blob.descriptor.size).sum(),
        });

        let before = current_tags(&repository, references).await?;
        let unchanged = |digest: &Option<_>| digest.as_ref() == Some(&root.descriptor().digest);
        for (reference, previous) in references.iter().zip(&before) {
            report.entry(reference).previous.clone_from(previous);
        }
        if before.iter().all(unchanged) {
            report.blobs.existing += image.blobs().len();
        } else {
            self.push_blobs(&repository, image.blobs(), &mut report.blobs)
                .await?;
            self.push_children(&repository, image.manifests()).await?;
        }
        for (reference, previous) in references.iter().zip(&before) {
            let settled = unchanged(previous);
            if !settled {
                repository
                    .put_manifest(root, Some(tag_of(reference)))
                    .await?;
            }
            self.settle(reference, root, settled, report.entry(reference));
        }
        if self.options.verify == Verify::Manifest {
            let moved = references.iter().zip(&before);
            for (reference, _) in moved.filter(|(_, previous)| !unchanged(previous)) {
                let verified = self.verify(&repository, reference, root).await;
                if let Err(failure) = verified {
                    report.entry(reference).status = ReferenceStatus::Failed;
                    return Err(failure);
                }
            }
        }
        Ok(())
    }

    fn settle(
        &self,
        reference: &Reference,
        root: &Manifest,
        unchanged: bool,
        entry: &mut ReferenceReport,
    ) {
        entry.status = if unchanged {
            ReferenceStatus::Unchanged
        } else {
            ReferenceStatus::Pushed
        };
        self.services.observer.observe(&Event::ReferenceSettled {
            reference: &reference.to_string(),
            digest: &root.descriptor().digest,
            unchanged,
        });
    }

    /// Asks for all blobs at once, then uploads the missing ones, longest first: a long one that starts
    /// last would keep the push waiting alone.
    async fn push_blobs(
        &self,
        repository: &Repository<Chain>,
        blobs: &[Blob],
        counts: &mut BlobCounts,
    ) -> Result<(), Failure> {
        let mut checks = Batch::new();
        for blob in blobs {
            checks.push(async move { Ok((blob, self.check_blob(repository, blob).await?)) });
        }
        let checked = checks.run(CONTROL_WIDTH).await?;
        let mut missing: Vec<&Blob> = checked
            .into_iter()
            .filter_map(|(blob, exists)| (!exists).then_some(blob))
            .collect();
        missing.sort_by_key(|blob| std::cmp::Reverse(blob.descriptor.size));
        counts.existing += blobs.len() - missing.len();

        let settings = UploadSettings {
            mode: self.options.upload_mode,
            chunk_size: self.options.chunk_size,
        };
        let slots = Arc::new(Semaphore::new(self.options.jobs.max(1)));
        let (uploaded, bytes) = (&AtomicUsize::new(0), &AtomicU64::new(0));
        let mut uploads = Batch::new();
        for blob in missing {
            let slots = Arc::clone(&slots);
            uploads.push(async move {
                let upload = BlobUpload::new(repository, &self.services, settings, blob, slots);
                upload.run().await?;
                uploaded.fetch_add(1, Ordering::Relaxed);
                bytes.fetch_add(blob.descriptor.size, Ordering::Relaxed);
                Ok(())
            });
        }
        let outcome = uploads.run(BLOBS_UNDER_WAY).await;
        // What went up before a failure is there, and is counted.
        counts.uploaded += uploaded.load(Ordering::Relaxed);
        counts.bytes_uploaded += bytes.load(Ordering::Relaxed);
        outcome.map(drop)
    }

    async fn check_blob(
        &self,
        repository: &Repository<Chain>,
        blob: &Blob,
    ) -> Result<bool, Failure> {
        let exists = repository.has_blob(&blob.descriptor).await?;
        self.services.observer.observe(&Event::BlobChecked {
            digest: &blob.descriptor.digest,
            size: blob.descriptor.size,
            exists,
        });
        Ok(exists)
    }

    /// Stores every manifest but the root, level by level: a registry refuses a manifest whose
    /// children it does not have.
    async fn push_children(
        &self,
        repository: &Repository<Chain>,
        manifests: &[Manifest],
    ) -> Result<(), Failure> {
        let Some((_, children)) = manifests.split_last() else {
            return Ok(());
        };
        let highest = children.iter().map(Manifest::level).max().unwrap_or(0);
        for level in 0..=highest {
            let mut stored = Batch::new();
            for manifest in children.iter().filter(|manifest| manifest.level() == level) {
                stored.push(async move {
                    repository.put_manifest(manifest, None).await?;
                    let digest = &manifest.descriptor().digest;
                    self.services
                        .observer
                        .observe(&Event::ManifestStored { digest });
                    Ok(())
                });
            }
            stored.run(CONTROL_WIDTH).await?;
        }
        Ok(())
    }

    async fn verify(
        &self,
        repository: &Repository<Chain>,
        reference: &Reference,
        root: &Manifest,
    ) -> Result<(), Failure> {
        let expected = &root.descriptor().digest;
        let clock = &*self.services.clock;
        if !self.system_roots {
            // oci-client ends the process where there are no certificates.
            return verify::expect(reference, expected, clock, repository).await;
        }
        let transport = repository.transport();
        let basic = if transport.is_basic().await {
            let host = reference.resolve_registry();
            self.keychain.credentials(host).await
        } else {
            None
        };
        let bearer = transport.bearer().await;
        let reader = Reader::new(self.options.plain_http, bearer.as_ref(), basic.as_ref())?;
        verify::expect(reference, expected, clock, &reader).await
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

    fn repository(&self, registry: &Url, reference: &Reference) -> Repository<Chain> {
        let profile = self
            .options
            .profile
            .unwrap_or_else(|| Profile::of_host(reference.registry()));
        let settings = AuthSettings {
            registry: registry.clone(),
            host: reference.resolve_registry().to_owned(),
            repository: reference.repository().to_owned(),
            token_service: profile.token_service(registry),
            keychain: Arc::clone(&self.keychain),
            clock: Arc::clone(&self.services.clock),
            observer: Arc::clone(&self.services.observer),
        };
        let transport = AuthTransport::new(Arc::clone(&self.transport), settings);
        Repository::new(transport, registry, reference.repository(), profile)
    }
}

/// What each reference's tag points to now.
async fn current_tags<T: Transport>(
    repository: &Repository<T>,
    references: &[&Reference],
) -> Result<Vec<Option<oci_archive::Digest>>, Failure> {
    let mut questions = Batch::new();
    for reference in references {
        questions.push(async move { Ok((*reference, repository.tag(tag_of(reference)).await?)) });
    }
    let answers = questions.run(CONTROL_WIDTH).await?;
    let of = |reference: &Reference| answers.iter().find(|(asked, _)| *asked == reference);
    Ok(references
        .iter()
        .map(|reference| of(reference).and_then(|(_, digest)| digest.clone()))
        .collect())
}

/// References grouped by repository, in the order in which the repositories were first named.
fn by_repository(references: &[Reference]) -> Vec<Vec<&Reference>> {
    let mut groups: Vec<Vec<&Reference>> = Vec::new();
    for reference in references {
        let same = |group: &&mut Vec<&Reference>| {
            group.first().is_some_and(|first| {
                first.registry() == reference.registry()
                    && first.repository() == reference.repository()
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(reference),
            None => groups.push(vec![reference]),
        }
    }
    groups
}
