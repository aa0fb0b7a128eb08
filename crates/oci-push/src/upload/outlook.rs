//! Whether a stream will be over before the registry ends it, watched while it goes.
//!
//! ghcr.io ends an upload after ten minutes. A large blob may miss that only because others share the link: then it
//! gets the link for itself, and what would miss it too begins again later. What would miss it alone is sent in
//! chunks. Nobody finds out after ten minutes.

use std::time::Duration;

use super::{BlobUpload, UploadMode};
use crate::request::Transport;

/// Looks over which the present rate is measured: 20 seconds of 10 minutes.
const LOOKS: usize = 4;

/// What a stream is broken off for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doom {
    /// Another blob has the link for itself: this one waits for that, and begins again.
    Yields,
    /// It would outlast the limit in any case.
    Outlasts,
}

impl Doom {
    /// Why, in one line.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Yields => "another blob has the link for itself",
            Self::Outlasts => "it would take longer than the registry lets a request take",
        }
    }
}

/// What is to be expected of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlook {
    /// It will be over in time.
    Fine,
    /// It would be, had it the link for itself.
    Alone,
    /// It will not.
    Bad,
}

/// How a stream stands.
#[derive(Debug, Clone, Copy)]
struct Stream {
    /// Bytes that it has to send yet.
    left: u64,
    /// Bytes a second of its own.
    rate: f64,
    /// Bytes a second of all blobs together.
    together: f64,
    /// How long it has lasted.
    lasted: Duration,
}

/// What is to be expected of `stream`, which the registry ends after `limit`.
fn outlook(stream: &Stream, limit: Duration) -> Outlook {
    /// What is left of the limit for the answer, and for the link to get slower.
    const TOLERATED: f64 = 0.9;
    /// The same where another rate is hoped for.
    const HOPED: f64 = 0.7;
    #[expect(
        clippy::cast_precision_loss,
        reason = "an estimate of seconds needs no more than 52 bits of size"
    )]
    let left = stream.left as f64;
    let ends_within = |rate: f64, part: f64| {
        stream.lasted.as_secs_f64() + left / rate <= limit.as_secs_f64() * part
    };
    if ends_within(stream.rate, TOLERATED) {
        Outlook::Fine
    } else if ends_within(stream.together, HOPED) {
        Outlook::Alone
    } else {
        Outlook::Bad
    }
}

impl<T: Transport> BlobUpload<'_, T> {
    /// Completes when the stream that is being sent should be broken off.
    pub(super) async fn doom(&self) -> Doom {
        let profile = self.repository.profile;
        let limit = self.settings.longest_request.or(profile.longest_request());
        let Some(limit) = limit.filter(|_| self.settings.mode == UploadMode::Auto) else {
            return std::future::pending().await;
        };
        // By the machine's own clock, as with everything that watches a request: 5 seconds of 10 minutes.
        let every = limit / 120;
        let window = every * 4;
        let all_before = self.slots.total();
        // What had been sent at the last looks, the oldest first.
        let mut looks = [(0, 0); LOOKS];
        let mut alone_since = None;
        loop {
            tokio::time::sleep(every).await;
            let Some((sent, lasted)) = self.flow().rate() else {
                continue;
            };
            let all = self.slots.total().saturating_sub(all_before);
            let before = looks[0];
            looks.rotate_left(1);
            looks[LOOKS - 1] = (sent, all);
            let since = (sent.saturating_sub(before.0), all.saturating_sub(before.1));
            // A blob that stands still is the stall timeout's matter, and one that has gone is the registry's.
            if lasted < window || since.0 == 0 || self.all_sent() {
                continue;
            }
            let stream = Stream {
                left: self.descriptor.size.saturating_sub(sent),
                // What it comes to now may be better than before.
                rate: per_second(sent, lasted).max(per_second(since.0, window)),
                together: per_second(all, lasted).max(per_second(since.1, window)),
                lasted,
            };
            match (outlook(&stream, limit), alone_since) {
                // The others are on their way out of it.
                (Outlook::Alone, Some(since)) if lasted.saturating_sub(since) < limit / 4 => {}
                (Outlook::Alone, None) => match self.slots.take_link() {
                    Some(link) => {
                        tracing::debug!(digest = %self.descriptor.digest, "large enough to need the link for itself");
                        self.held_slot().push(link);
                        alone_since = Some(lasted);
                    }
                    None => return Doom::Yields,
                },
                (Outlook::Alone | Outlook::Bad, _) if self.can_be_chunked() => {
                    return Doom::Outlasts;
                }
                // All is well, or there is no other way to send it.
                _ => {}
            }
        }
    }

    fn can_be_chunked(&self) -> bool {
        self.repository.profile.takes_chunks() && !self.repository.learned.chunks_refused()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate needs no more than 52 bits of size"
)]
fn per_second(bytes: u64, duration: Duration) -> f64 {
    bytes as f64 / duration.as_secs_f64().max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlooks() {
        const MB: u64 = 1_000_000;
        let limit = Duration::from_mins(10);
        for (name, left, rate, together, lasted, expected) in [
            ("a runner", 3000 * MB, 40e6, 40e6, 20, Outlook::Fine),
            ("nearly too long", 5000 * MB, 10e6, 10e6, 20, Outlook::Fine),
            ("four at a time", 8000 * MB, 10e6, 40e6, 20, Outlook::Alone),
            (
                "too late for that",
                8000 * MB,
                10e6,
                40e6,
                300,
                Outlook::Bad,
            ),
            ("a slow link", 8000 * MB, 2e6, 8e6, 20, Outlook::Bad),
            (
                "a slow link, nearly done",
                100 * MB,
                2e6,
                8e6,
                480,
                Outlook::Fine,
            ),
        ] {
            let stream = Stream {
                left,
                rate,
                together,
                lasted: Duration::from_secs(lasted),
            };
            assert_eq!(outlook(&stream, limit), expected, "{name}");
        }
    }
}
