//! The request that closes a session, and what becomes of the blob when its answer is missing.

use std::time::Duration;

use http::{Method, header};

use super::session::UploadSession;
use super::{BlobUpload, OCTET_STREAM, content_range};
use crate::failure::{Failure, ViolationKind};
use crate::repository::check_confirmation;
use crate::request::{Request, Transport};
use crate::step::Step;

/// When to look whether an unanswered commit has succeeded. ghcr.io takes 5 to 11 seconds to commit
/// 700 MB, most of which has passed when the question arises.
const LOOKS_AFTER_COMMIT: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

impl<T: Transport> BlobUpload<'_, T> {
    /// Sends what remains from `offset` in the request that closes the session.
    pub(super) async fn close(&self, session: &UploadSession, offset: u64) -> Result<(), Failure> {
        let digest = &self.descriptor.digest;
        let length = self.descriptor.size - offset;
        let url = session.closing_url(&digest.to_string());
        let step = if offset == 0 {
            Step::UploadBlob
        } else {
            Step::CommitBlob
        };
        let mut request = Request::new(step, Method::PUT, url)
            .header(header::CONTENT_TYPE, OCTET_STREAM)
            .deadline(commit_deadline(self.descriptor.size))
            .sent_once();
        if length == 0 {
            session.closed();
            self.verifier.check_empty().map_err(|fault| Failure::Blob {
                digest: digest.clone(),
                fault,
            })?;
        } else {
            request = request.body(self.body(session, offset, length));
        }
        if offset > 0 {
            request = request.header(header::CONTENT_RANGE, content_range(offset, length));
        }
        let answer = self.repository.transport().send(&request);
        let response = tokio::select! {
            answer = answer => answer?,
            // It has, and just does not say so.
            () = self.stored_silently() => {
                session.closed();
                return Ok(());
            }
        };
        let response = response.expect(&request, &[201, 200, 202, 204])?;
        if let Some((bytes, duration)) = self.flow().rate() {
            self.repository.learned.measured(bytes, duration);
        }
        check_confirmation(&request, &response, digest)?;
        // Only 201 says that the blob is stored; the others are asked about.
        session.closed();
        if response.status == 201 || self.has_arrived().await? {
            return Ok(());
        }
        let kind = ViolationKind::BlobNotStored(digest.clone());
        Err(Failure::violation(&request, kind))
    }

    /// Looks, a few times, whether the registry has the blob.
    pub(super) async fn has_arrived(&self) -> Result<bool, Failure> {
        /// Longer than any single answer takes.
        const LONG: Duration = Duration::from_secs(40);
        let clock = &self.services.clock;
        let long = LONG.max(self.services.retry.max_time / 2);
        for wait in LOOKS_AFTER_COMMIT {
            clock.sleep(wait).await;
            let asked = clock.now();
            if self.repository.has_blob(self.descriptor).await? {
                return Ok(true);
            }
            // Whoever does not say it in all that time does not with the next look.
            if clock.now().duration_since(asked) > long {
                break;
            }
        }
        Ok(false)
    }

    /// Completes when the registry has the blob though it does not answer the closing request, which is
    /// asked for now and then once the last byte has left.
    async fn stored_silently(&self) {
        let mut patience = self.settings.commit_patience;
        loop {
            // By the machine's own clock, as with everything that watches a request.
            tokio::time::sleep(patience).await;
            if !self.all_sent() {
                continue;
            }
            if self
                .repository
                .has_blob(self.descriptor)
                .await
                .is_ok_and(|has| has)
            {
                return;
            }
            patience *= 2;
        }
    }
}

/// How long a registry may take to store a blob whose last byte it has: two minutes, or as long as a
/// store that manages 20 MB a second needs.
fn commit_deadline(size: u64) -> Duration {
    Duration::from_mins(2).max(Duration::from_secs(60 + size / 20_000_000))
}
