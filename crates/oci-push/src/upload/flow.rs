//! How a blob's bytes flow: how far, how fast, and when they last got further than ever before.

use std::time::{Duration, Instant};

/// The flow of one blob, over all its sessions.
#[derive(Debug)]
pub(super) struct Flow {
    /// The first and the last moment at which bytes of the present session left, with the offsets.
    span: Option<((Instant, u64), (Instant, u64))>,
    /// The furthest offset of any session.
    furthest: u64,
    /// When that was reached.
    progress: Instant,
    /// Whether it has been told that the blob's end is near.
    ends_soon: bool,
}

impl Flow {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            span: None,
            furthest: 0,
            progress: now,
            ends_soon: false,
        }
    }

    /// A new session begins.
    pub(super) fn begin(&mut self) {
        self.span = None;
    }

    /// The present session goes on at `offset`, where it stands: what went beyond was in vain.
    pub(super) fn go_on_at(&mut self, offset: u64) {
        if let Some((_, (_, reached))) = &mut self.span {
            *reached = offset;
        }
    }

    /// The blob is on its way up to `offset`; returns how many bytes that are more than in this session before.
    pub(super) fn reach(&mut self, offset: u64, now: Instant) -> u64 {
        let before = self.span.map_or(offset, |(_, (_, reached))| reached);
        let first = self.span.map_or((now, offset), |(first, _)| first);
        self.span = Some((first, (now, offset)));
        if offset > self.furthest {
            self.furthest = offset;
            self.progress = now;
        }
        offset.saturating_sub(before)
    }

    /// Whether only `left` bytes are to be sent, and `lead` or fewer are the time to tell that. Once for a blob.
    pub(super) fn nears_end(&mut self, left: u64, lead: u64) -> bool {
        left <= lead && !std::mem::replace(&mut self.ends_soon, true)
    }

    /// The furthest offset of the present session.
    pub(super) fn sent(&self) -> u64 {
        self.span.map_or(0, |(_, (_, offset))| offset)
    }

    /// The time for which nothing got further than before.
    pub(super) fn idle(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.progress)
    }

    /// What went in the present session after its first frame, and how long that took. Neither the wait for
    /// the first frame nor that for the answer is a part of it.
    pub(super) fn rate(&self) -> Option<(u64, Duration)> {
        let ((start, from), (end, to)) = self.span?;
        Some((
            to.saturating_sub(from),
            end.saturating_duration_since(start),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_near_once() {
        let mut flow = Flow::new(Instant::now());
        let told: Vec<bool> = [30, 20, 10, 0]
            .into_iter()
            .map(|left| flow.nears_end(left, 10))
            .collect();
        assert_eq!(told, [false, false, true, false]);
    }

    #[test]
    fn progress_is_what_was_never_reached_before() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut flow = Flow::new(start);
        flow.reach(10, at(1));
        flow.reach(50, at(5));
        assert_eq!(flow.idle(at(7)), Duration::from_secs(2));
        assert_eq!(flow.rate(), Some((40, Duration::from_secs(4))));
        // A session that repeats what another has sent gets nowhere.
        flow.begin();
        assert_eq!(flow.sent(), 0);
        flow.reach(50, at(20));
        assert_eq!(flow.idle(at(25)), Duration::from_secs(20));
        flow.reach(51, at(30));
        assert_eq!(flow.idle(at(30)), Duration::ZERO);
        // What a chunk has to repeat is not sent any more.
        flow.go_on_at(50);
        assert_eq!(flow.sent(), 50);
    }
}
