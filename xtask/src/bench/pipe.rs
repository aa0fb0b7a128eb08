//! One direction of a link, as arithmetic: when a packet that comes in now goes out, or that it is lost.

use std::time::Duration;

/// What a link does to packets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) megabits_per_second: u64,
    /// There and back.
    pub(super) round_trip: Duration,
    /// Packets lost out of a million, on the way up.
    pub(super) lost_per_million: u32,
}

impl Shape {
    /// The way up.
    pub(super) fn up(self) -> Pipe {
        Pipe::new(self, self.lost_per_million)
    }

    /// Whether packets are lost.
    pub(super) fn is_lossy(self) -> bool {
        self.lost_per_million > 0
    }

    /// The way down, which loses nothing.
    pub(super) fn down(self) -> Pipe {
        Pipe::new(self, 0)
    }
}

/// One direction: a queue that is emptied at a rate, and a wire that delays.
pub(super) struct Pipe {
    bits_per_second: u64,
    delay: Duration,
    /// What the queue holds before it drops: one product of bandwidth and delay, as a well-kept router's does.
    buffer: u64,
    lost_per_million: u32,
    random: fastrand::Rng,
    /// When the last packet of the queue will have left it.
    free_at: Duration,
}

impl Pipe {
    fn new(shape: Shape, lost_per_million: u32) -> Self {
        let bits_per_second = shape.megabits_per_second * 1_000_000;
        let round_trip = u64::try_from(shape.round_trip.as_micros()).unwrap_or(u64::MAX);
        Self {
            bits_per_second,
            delay: shape.round_trip / 2,
            buffer: bits_per_second / 8 * round_trip / 1_000_000,
            lost_per_million,
            // The same losses in every run, as far as the packets are the same.
            random: fastrand::Rng::with_seed(7),
            free_at: Duration::ZERO,
        }
    }

    /// When a packet of `bytes` arrives at the other end, `None` if it does not.
    pub(super) fn admit(&mut self, now: Duration, bytes: usize) -> Option<Duration> {
        let waiting = self.free_at.saturating_sub(now);
        let queued = self.bytes_within(waiting);
        if queued + bytes as u64 > self.buffer {
            return None;
        }
        self.free_at = now.max(self.free_at) + self.serialisation(bytes);
        // A lost packet took its time on the wire all the same.
        let lost =
            self.lost_per_million > 0 && self.random.u32(..1_000_000) < self.lost_per_million;
        (!lost).then_some(self.free_at + self.delay)
    }

    fn bytes_within(&self, time: Duration) -> u64 {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        // In two steps, so that it cannot overflow.
        self.bits_per_second / 8 / 1000 * (nanoseconds / 1000) / 1000
    }

    fn serialisation(&self, bytes: usize) -> Duration {
        Duration::from_nanos(bytes as u64 * 8 * 1_000_000_000 / self.bits_per_second)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Shape;

    const SHAPE: Shape = Shape {
        megabits_per_second: 12,
        round_trip: Duration::from_millis(40),
        lost_per_million: 0,
    };

    #[test]
    fn packets_wait_for_one_another_and_for_the_wire() {
        // 1,500 bytes at 12 Mbit/s take 1 ms.
        let mut pipe = SHAPE.up();
        let at = |milliseconds| Duration::from_millis(milliseconds);
        for (now, arrives) in [(0, 21), (0, 22), (1, 23), (10, 31)] {
            assert_eq!(
                pipe.admit(at(now), 1500),
                Some(at(arrives)),
                "sent at {now}"
            );
        }
    }

    #[test]
    fn a_full_queue_drops() {
        // The product of bandwidth and delay is 60,000 bytes: 40 packets.
        let mut pipe = SHAPE.up();
        let admitted = (0..100)
            .filter(|_| pipe.admit(Duration::ZERO, 1500).is_some())
            .count();
        assert_eq!(admitted, 40);
        let later = Duration::from_millis(2);
        let admitted = (0..100)
            .filter(|_| pipe.admit(later, 1500).is_some())
            .count();
        assert_eq!(admitted, 2);
    }

    #[test]
    fn only_the_way_up_loses() {
        let shape = Shape {
            lost_per_million: 10_000,
            ..SHAPE
        };
        let lost = |mut pipe: super::Pipe| {
            (0..100_000)
                .filter(|number| pipe.admit(Duration::from_millis(*number), 1500).is_none())
                .count()
        };
        assert!((900..1100).contains(&lost(shape.up())));
        assert_eq!(lost(shape.down()), 0);
    }
}
