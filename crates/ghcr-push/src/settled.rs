//! What became of each reference, also where no report tells it: a push that a signal ends has none.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oci_archive::Digest;
use oci_push::{Event, Observer, PushReport, Reference, ReferenceReport, ReferenceStatus, Shown};

/// A reference, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) reference: String,
    /// What it should name, where that is known.
    pub(crate) digest: Option<String>,
    pub(crate) status: ReferenceStatus,
    /// What the tag pointed to before, where that is known.
    pub(crate) previous: Option<String>,
    /// What the tag shows instead of what the registry has.
    pub(crate) shown: Option<Shown>,
}

impl From<&ReferenceReport> for Settled {
    fn from(entry: &ReferenceReport) -> Self {
        Self {
            reference: entry.reference.to_string(),
            digest: entry.digest.as_ref().map(ToString::to_string),
            status: entry.status,
            previous: entry.previous.as_ref().map(ToString::to_string),
            shown: entry.shown.clone(),
        }
    }
}

/// Every reference of a report.
pub(crate) fn of_report(report: &PushReport) -> Vec<Settled> {
    report.references.iter().map(Settled::from).collect()
}

/// Notes what is settled, and passes every event on.
pub(crate) struct Witness {
    listener: Arc<dyn Observer>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    settled: Vec<Settled>,
    /// Blobs of all repositories whose turn has come, and how many of those before the present one are stored.
    blobs: usize,
    stored_before: usize,
    /// How many the present repository is to have, and those that it has.
    wanted: usize,
    stored: BTreeSet<Digest>,
    /// Whether it has them all: a tag names the image, and then its blobs need not be asked for.
    is_whole: bool,
}

impl Seen {
    /// How many blobs the present repository has.
    fn stored(&self) -> usize {
        if self.is_whole {
            self.wanted
        } else {
            self.stored.len()
        }
    }
}

/// How many blobs are stored, of how many, each once a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) count: usize,
    pub(crate) of: usize,
}

impl Witness {
    pub(crate) fn new(listener: Arc<dyn Observer>) -> Self {
        Self {
            listener,
            seen: Mutex::default(),
        }
    }

    /// What is known of `references`, in their order; one that was not seen is not published. `digest` is what they should
    /// name, as far as that is known.
    pub(crate) fn of(&self, references: &[Reference], digest: Option<&Digest>) -> Vec<Settled> {
        let seen = self.seen();
        let known = |reference: &Reference| {
            let reference = reference.to_string();
            let settled = seen
                .settled
                .iter()
                .find(|settled| settled.reference == reference);
            settled.cloned().unwrap_or(Settled {
                reference,
                digest: digest.map(ToString::to_string),
                status: ReferenceStatus::Failed,
                previous: None,
                shown: None,
            })
        };
        references.iter().map(known).collect()
    }

    /// What is stored in the repositories whose turn has come.
    pub(crate) fn stored(&self) -> Stored {
        let seen = self.seen();
        let count = seen.stored_before + seen.stored();
        Stored {
            count,
            of: seen.blobs,
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Witness {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::ReferenceSettled {
                reference,
                digest,
                unchanged,
            } => {
                let mut seen = self.seen();
                seen.is_whole = true;
                seen.settled.push(Settled {
                    reference: (*reference).to_owned(),
                    digest: Some(digest.to_string()),
                    status: if *unchanged {
                        ReferenceStatus::Unchanged
                    } else {
                        ReferenceStatus::Pushed
                    },
                    previous: unchanged.then(|| digest.to_string()),
                    shown: None,
                });
            }
            Event::RepositoryStarted { blobs, .. } => {
                let mut seen = self.seen();
                seen.stored_before += seen.stored();
                seen.blobs += blobs;
                seen.wanted = *blobs;
                seen.stored.clear();
                seen.is_whole = false;
            }
            Event::BlobChecked {
                digest,
                exists: true,
                ..
            }
            | Event::BlobMounted { digest, .. }
            | Event::BlobFinished { digest, .. } => {
                self.seen().stored.insert((*digest).clone());
            }
            _ => {}
        }
        self.listener.observe(event);
    }
}

#[cfg(test)]
mod tests {
    use oci_archive::Algorithm;
    use oci_push::Silent;

    use super::*;

    #[test]
    fn blobs_of_two_repositories() {
        let digests = [b"a", b"b", b"c"].map(|bytes| Digest::of(Algorithm::Sha256, bytes));
        let witness = Witness::new(Arc::new(Silent));
        let of = |count, of| Stored { count, of };
        assert_eq!(witness.stored(), of(0, 0));
        let start = |repository| Event::RepositoryStarted {
            repository,
            blobs: 3,
            bytes: 3,
        };
        let checked = |digest, exists| Event::BlobChecked {
            digest,
            size: 1,
            exists,
        };
        witness.observe(&start("ghcr.io/o/n"));
        for (digest, exists) in digests.iter().zip([true, false, false]) {
            witness.observe(&checked(digest, exists));
        }
        assert_eq!(witness.stored(), of(1, 3));
        for digest in &digests {
            witness.observe(&Event::BlobFinished { digest, size: 1 });
        }
        assert_eq!(witness.stored(), of(3, 3));
        witness.observe(&start("ghcr.io/o/m"));
        witness.observe(&Event::BlobMounted {
            digest: &digests[0],
            size: 1,
            source: "o/n",
        });
        assert_eq!(witness.stored(), of(4, 6));
        witness.observe(&start("ghcr.io/o/l"));
        witness.observe(&Event::ReferenceSettled {
            reference: "ghcr.io/o/l:1",
            digest: &digests[0],
            unchanged: true,
        });
        assert_eq!(witness.stored(), of(7, 9));
        witness.observe(&start("ghcr.io/o/k"));
        assert_eq!(witness.stored(), of(7, 12));
    }
}
