//! What became of each reference, also where no report tells it: a push that a signal ends has none.

use std::sync::{Arc, Mutex, PoisonError};

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
    seen: Mutex<Vec<Settled>>,
}

impl Witness {
    pub(crate) fn new(listener: Arc<dyn Observer>) -> Self {
        Self {
            listener,
            seen: Mutex::default(),
        }
    }

    /// What is known of `references`, in their order; one that was not seen is not published.
    pub(crate) fn of(&self, references: &[Reference]) -> Vec<Settled> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |reference: &Reference| {
            let reference = reference.to_string();
            let settled = seen.iter().find(|settled| settled.reference == reference);
            settled.cloned().unwrap_or(Settled {
                reference,
                digest: None,
                status: ReferenceStatus::Failed,
                previous: None,
                shown: None,
            })
        };
        references.iter().map(known).collect()
    }
}

impl Observer for Witness {
    fn observe(&self, event: &Event<'_>) {
        if let Event::ReferenceSettled {
            reference,
            digest,
            unchanged,
        } = event
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(Settled {
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
        self.listener.observe(event);
    }
}
