//! What this process's connections deliver while one of its bodies does not seem to move.
//!
//! The machine takes bytes in gulps: its buffers hold megabytes, and a peer that reads slowly has it take none for
//! minutes, though all is well. What the peer acknowledges is the measure. The machine's own limit on that,
//! `TCP_USER_TIMEOUT`, is none: it counts from when the peer's window became narrower than what is next to be sent,
//! however much is delivered meanwhile (`tcp_ack_probe` in
//! <https://github.com/torvalds/linux/blob/v6.12/net/ipv4/tcp_input.c>).

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::sock_diag::{TOLERANCE, Use, uses_of};

/// No machine buffers so much of one connection (`tcp_wmem` in tcp(7) ends at 4 MiB): one that has delivered more since
/// nothing was handed over is not the body's.
const BUFFERED: u64 = 8 * 1024 * 1024;

/// What delivers fewer bytes a second does not move: a peer that takes a few now and then is stuck.
const LEAST_A_SECOND: u64 = 2048;

/// What was seen of connections. Which of them is the body's is not known.
#[derive(Debug)]
pub(in crate::http) struct Deliveries {
    /// As many bytes are a movement.
    least: u64,
    seen: HashMap<u32, Delivery>,
    uses: Vec<Use>,
}

/// What one connection delivers.
#[derive(Debug, Clone, Copy)]
struct Delivery {
    /// Acknowledged when it was seen first, and when it moved last.
    first: u64,
    last: u64,
    moved: Instant,
}

impl Deliveries {
    /// Nothing was seen yet. What is to move within `stall` has to deliver in proportion.
    pub(in crate::http) fn within(stall: Duration) -> Self {
        let millis = u64::try_from(stall.as_millis()).unwrap_or(u64::MAX);
        Self {
            least: (millis.saturating_mul(LEAST_A_SECOND) / 1000).max(1),
            seen: HashMap::new(),
            uses: Vec::new(),
        }
    }

    /// Asks the machine about the connections to `port`.
    pub(in crate::http) fn look(&mut self, port: u16, now: Instant) {
        self.note(uses_of(port), now);
    }

    fn note(&mut self, uses: Vec<Use>, now: Instant) {
        let before = std::mem::take(&mut self.seen);
        for one in &uses {
            let delivery = match before.get(&one.number) {
                Some(former) if one.acknowledged.saturating_sub(former.last) < self.least => {
                    *former
                }
                Some(former) => Delivery {
                    last: one.acknowledged,
                    moved: now,
                    ..*former
                },
                None => Delivery {
                    first: one.acknowledged,
                    last: one.acknowledged,
                    moved: now,
                },
            };
            self.seen.insert(one.number, delivery);
        }
        self.uses = uses;
    }

    /// When any connection that may be the body's delivered something last; `None` if there is none that still has
    /// something to deliver.
    pub(in crate::http) fn moved(&self) -> Option<Instant> {
        let pending = self.uses.iter().filter(|one| one.unacknowledged > 0);
        pending
            .filter_map(|one| self.seen.get(&one.number))
            .filter(|delivery| delivery.last.saturating_sub(delivery.first) < BUFFERED)
            .map(|delivery| delivery.moved)
            .max()
    }

    /// Whether a body whose last bytes were handed over `age` ago may have arrived: a connection has delivered all that
    /// it had, and waits.
    pub(in crate::http) fn may_have_arrived(&self, age: Duration) -> bool {
        self.uses.iter().any(|one| {
            one.unacknowledged == 0
                && one.since_sent <= age + TOLERANCE
                && one.since_received > one.since_sent
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_use(number: u32, unacknowledged: u32, acknowledged: u64) -> Use {
        Use {
            number,
            unacknowledged,
            acknowledged,
            since_sent: Duration::from_secs(1),
            since_received: Duration::from_secs(2),
            ..Use::default()
        }
    }

    #[test]
    fn what_is_delivered_slowly_moves() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut deliveries = Deliveries::within(Duration::from_millis(1));
        assert_eq!(deliveries.moved(), None);
        deliveries.note(vec![a_use(1, 500, 100)], at(0));
        assert_eq!(deliveries.moved(), Some(at(0)));
        deliveries.note(vec![a_use(1, 400, 200)], at(5));
        deliveries.note(vec![a_use(1, 400, 200)], at(10));
        assert_eq!(deliveries.moved(), Some(at(5)));
        deliveries.note(vec![a_use(1, 0, 600)], at(15));
        assert_eq!(deliveries.moved(), None, "all was delivered");
    }

    /// A few bytes now and then are no movement.
    #[test]
    fn what_trickles_does_not_move() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut deliveries = Deliveries::within(Duration::from_mins(1));
        for (seconds, acknowledged, moved) in [
            (0, 0, 0),
            (10, 20_000, 0),
            (40, 100_000, 0),
            (50, 122_880, 50),
            (59, 130_000, 50),
        ] {
            deliveries.note(vec![a_use(1, 500, acknowledged)], at(seconds));
            assert_eq!(deliveries.moved(), Some(at(moved)), "{seconds} s");
        }
    }

    /// A connection beside it that is fast is another's.
    #[test]
    fn what_is_delivered_fast_is_another_body() {
        let start = Instant::now();
        let later = start + Duration::from_secs(5);
        let mut deliveries = Deliveries::within(Duration::from_millis(1));
        deliveries.note(vec![a_use(1, 500, 100), a_use(2, 500, 0)], start);
        deliveries.note(vec![a_use(1, 500, 100), a_use(2, 500, BUFFERED)], later);
        assert_eq!(deliveries.moved(), Some(start));
    }

    #[test]
    fn what_may_have_arrived() {
        let age = Duration::from_secs(30);
        let waiting = a_use(1, 0, 100);
        let answered = Use {
            since_received: Duration::ZERO,
            ..waiting
        };
        let idle = Use {
            since_sent: Duration::from_mins(1),
            since_received: Duration::from_secs(61),
            ..waiting
        };
        for (uses, expected) in [
            (vec![], false),
            (vec![a_use(1, 1, 100)], false),
            (vec![waiting], true),
            (vec![answered], false),
            (vec![idle], false),
        ] {
            let mut deliveries = Deliveries::within(Duration::from_millis(1));
            deliveries.note(uses.clone(), Instant::now());
            assert_eq!(deliveries.may_have_arrived(age), expected, "{uses:?}");
        }
    }
}
