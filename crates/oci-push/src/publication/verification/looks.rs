//! Looks at a tag until it names what was pushed, or until it is known why it does not.
//!
//! A registry may show a manifest some time after it has confirmed it
//! (<https://github.com/p2pool-starter-stack/pithead/issues/429>), so that it is given a minute. Another push may have
//! moved the tag meanwhile: the last one wins, and the image is published if the registry has the manifest under its
//! digest. A tag that shows what it named before the push was not moved by anybody, whatever the registry has confirmed.

use std::time::Duration;

use oci_archive::{Digest, Manifest};
use oci_client::Reference;

use super::super::Publication;
use super::super::patience::Patience;
use crate::failure::{Failure, Found};
use crate::observer::Event;
use crate::report::Shown;
use crate::repository::{Named, tag_of};
use crate::retry::{cause_of, is_transient};
use crate::step::Step;
use crate::verify::{Reader, is_of};

/// How long a tag that has been set may show what it named before.
const LAG: Duration = Duration::from_mins(1);

/// How long all looks together may take while the registry does not answer them.
const OUTAGE: Duration = Duration::from_secs(100);

/// The same while it refuses them.
const REFUSAL: Duration = Duration::from_secs(8);

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The looks after one push; one budget is for all of them.
pub(super) struct Looks<'a> {
    pub(super) publication: &'a Publication<'a>,
    pub(super) pushed: &'a Manifest,
    pub(super) reader: Option<Reader>,
    pub(super) patience: Patience,
}

/// What one look found.
enum Seen {
    Pushed,
    Else(Instead),
    /// There was no answer that says it.
    Unknown(Error),
}

/// What a tag names instead of what was pushed.
#[derive(Clone)]
enum Instead {
    /// Neither that nor what it named before.
    Other(Digest),
    /// What it named before.
    Previous(Digest),
    /// A manifest that it may have named before, which is not known.
    Unexplained(Digest),
    Nothing,
}

impl Instead {
    /// Why a tag is looked at again.
    fn cause(&self) -> String {
        match self {
            Self::Other(digest) | Self::Unexplained(digest) => {
                format!("the tag answers with {}", digest.short())
            }
            Self::Previous(digest) => format!("the tag still answers with {}", digest.short()),
            Self::Nothing => "the tag is not there yet".to_owned(),
        }
    }

    /// The same for a failure; `is_stored` tells whether the registry has the manifest under its digest.
    fn found(self, is_stored: bool) -> Found {
        match self {
            Self::Previous(digest) if is_stored => Found::Previous(digest),
            Self::Unexplained(digest) if is_stored => Found::Unexplained(digest),
            Self::Nothing if is_stored => Found::Untagged,
            Self::Other(digest) | Self::Previous(digest) | Self::Unexplained(digest) => {
                Found::OtherDigest(digest)
            }
            Self::Nothing => Found::Nothing,
        }
    }
}

/// What is to be done about it.
enum Verdict {
    Settled(Result<Option<Shown>, Failure>),
    /// Another look is worth it, for that reason, within that time; else that is the failure.
    Again(String, Duration, Failure),
}

impl Looks<'_> {
    /// Looks at a tag until it names what was pushed. Tells what it shows instead, where another push has moved it.
    pub(super) async fn until_shown(
        &mut self,
        reference: &Reference,
        previous: &Named,
    ) -> Result<Option<Shown>, Failure> {
        let services = self.publication.services;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let seen = self.look(reference, previous).await;
            let (cause, limit, failure) = match self.judge(reference, seen).await {
                Verdict::Settled(result) => return result,
                Verdict::Again(cause, limit, failure) => (cause, limit, failure),
            };
            // A tag that shows late is no request that failed.
            let is_failed = matches!(failure, Failure::Unverified { .. });
            let most = services.retry.max_tries.filter(|_| is_failed);
            let wait = self.patience.next(attempt, limit, &*services.clock);
            let Some(wait) = wait.filter(|_| most.is_none_or(|most| attempt < most)) else {
                return Err(failure);
            };
            services.tally.count_retry();
            services.observer.observe(&Event::Retrying {
                step: Step::Verify,
                digest: None,
                cause: &cause,
                wait,
                attempt,
            });
            services.clock.sleep(wait).await;
        }
    }

    async fn judge(&self, reference: &Reference, seen: Seen) -> Verdict {
        let instead = match seen {
            Seen::Pushed => return Verdict::Settled(Ok(None)),
            Seen::Unknown(error) => return self.unknown(reference, error),
            Seen::Else(instead) => instead,
        };
        let is_moved = matches!(instead, Instead::Other(_));
        let failed = |is_stored| {
            let found = instead.clone().found(is_stored);
            Err(self.not_published(reference, found))
        };
        if is_moved && self.publication.options.no_clobber {
            // What was to spare the tags of others was overtaken by another push.
            return Verdict::Settled(failed(false));
        }
        let clock = &*self.publication.services.clock;
        let is_over = self.patience.left(LAG, clock).is_zero();
        if is_moved || is_over {
            match (self.has_manifest().await, &instead) {
                (Ok(true), Instead::Other(digest)) => {
                    return Verdict::Settled(Ok(Some(Shown::Other(digest.clone()))));
                }
                (Ok(is_stored), _) if is_over => return Verdict::Settled(failed(is_stored)),
                (Err(error), _) if is_over => return self.unknown(reference, error),
                _ => {}
            }
        }
        let failure = self.not_published(reference, instead.clone().found(false));
        Verdict::Again(instead.cause(), LAG, failure)
    }

    fn unknown(&self, reference: &Reference, error: Error) -> Verdict {
        let failure = error.downcast_ref::<Failure>();
        let cause = failure.map_or_else(|| error.to_string(), cause_of);
        let is_refusal = failure
            .and_then(Failure::rejection)
            .is_some_and(|rejection| !is_transient(rejection.status.as_u16()));
        let limit = if is_refusal { REFUSAL } else { OUTAGE };
        let failure = Failure::Unverified {
            reference: reference.to_string(),
            expected: self.pushed.descriptor().digest.clone(),
            error,
        };
        Verdict::Again(cause, limit, failure)
    }

    fn not_published(&self, reference: &Reference, found: Found) -> Failure {
        Failure::NotPublished {
            reference: reference.to_string(),
            expected: self.pushed.descriptor().digest.clone(),
            found,
        }
    }

    /// One look, through oci-client if it can, and through the push's own requests where that fails: its token may have
    /// ended meanwhile, and it does not tell why there is no answer.
    async fn look(&mut self, reference: &Reference, previous: &Named) -> Seen {
        let is_left_out = self.publication.repository.learned.digests_left_out();
        let read = match &self.reader {
            Some(reader) => {
                let read = self.in_time(reader.digest(reference, is_left_out)).await;
                read.ok().flatten()
            }
            None => None,
        };
        let found = match read {
            Some(digest) => Ok(Some(digest)),
            None => self.ask(tag_of(reference)).await,
        };
        match found {
            Ok(Some(digest)) if is_of(&digest, self.pushed) => Seen::Pushed,
            Ok(Some(digest)) => Seen::Else(match previous {
                Named::Manifest(named) if *named == digest => Instead::Previous(digest),
                // Where the tags of others are spared, it was seen that there was none.
                Named::Untold if !self.publication.options.no_clobber => {
                    Instead::Unexplained(digest)
                }
                Named::Manifest(_) | Named::Nothing | Named::Untold => Instead::Other(digest),
            }),
            Ok(None) => Seen::Else(Instead::Nothing),
            Err(error) => {
                // It would only take time that the push's own requests need.
                self.reader = None;
                Seen::Unknown(error)
            }
        }
    }

    /// Whether the registry has the manifest under its digest.
    async fn has_manifest(&self) -> Result<bool, Error> {
        let digest = self.pushed.descriptor().digest.to_string();
        let found = self.ask(&digest).await?;
        Ok(found.is_some_and(|found| is_of(&found, self.pushed)))
    }

    async fn ask(&self, reference: &str) -> Result<Option<Digest>, Error> {
        let looked = self.publication.repository.look(reference);
        Ok(self.in_time(looked).await??)
    }

    /// The outcome of a look, if it comes in the time that is left.
    async fn in_time<T>(&self, look: impl Future<Output = T>) -> Result<T, Error> {
        /// For a last look.
        const LEAST: Duration = Duration::from_secs(2);
        let clock = &*self.publication.services.clock;
        let left = self.patience.left(OUTAGE, clock).max(LEAST);
        let outcome = tokio::time::timeout(left, look).await;
        outcome.map_err(|_| format!("no answer came within {} s", left.as_secs()).into())
    }
}
