//! How the width follows what a link brings, and what a registry says.

use super::*;

/// How often bytes are reported.
const TICK: Duration = Duration::from_millis(100);

/// A link on which connections bring `rate` for each width, and new ones take a while to get going.
struct Simulation<F> {
    rate: F,
    adaptive: Adaptive,
    now: Instant,
    ticks: u32,
    /// What is sent a second just now.
    flow: f64,
    /// Differs from run to run, and from tick to tick.
    random: fastrand::Rng,
    /// How much the rate of a tick differs from the link's, as a part of it.
    noise: f64,
}

impl<F: Fn(usize) -> f64> Simulation<F> {
    fn new(rate: F) -> Self {
        let now = Instant::now();
        Self {
            rate,
            adaptive: Adaptive::new(now, 0),
            now,
            ticks: 0,
            flow: 0.0,
            random: fastrand::Rng::with_seed(1),
            noise: 0.0,
        }
    }

    /// The width after so many seconds more.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small"
    )]
    fn after(&mut self, seconds: f64) -> usize {
        let end = self.now + Duration::from_secs_f64(seconds);
        while self.now < end {
            self.now += TICK;
            self.ticks += 1;
            // Slow start, in the long run of it: half of what is missing in each tick.
            self.flow += ((self.rate)(self.adaptive.width) - self.flow) / 2.0;
            let noise = 1.0 + self.noise * (self.random.f64() - 0.5) * 2.0;
            let bytes = (self.flow * noise / 10.0) as u64;
            self.adaptive.sent(bytes, true, self.now);
        }
        self.adaptive.width
    }
}

#[expect(clippy::cast_precision_loss, reason = "small")]
fn by_stream(width: usize) -> f64 {
    1_000_000.0 * width as f64
}

#[test]
fn eight_are_reached_soon_where_each_brings_something() {
    let mut link = Simulation::new(by_stream);
    let widths = [1.0, 1.0, 1.5, 1.5].map(|seconds| link.after(seconds));
    assert_eq!(widths, [4, 6, 8, 8], "after 1, 2, 3.5 and 5 s");
    assert_eq!(link.after(100.0), 8);
}

#[test]
fn what_brings_nothing_is_taken_back_and_tried_more_and_more_seldom() {
    let mut link = Simulation::new(|_| 4_000_000.0);
    assert_eq!(link.after(2.0), 6, "it is tried");
    assert_eq!(link.after(1.5), 4, "it is judged");
    assert_eq!(link.adaptive.surplus, 2);
    let tries = (0..600).filter(|_| link.after(1.0) > 4).count();
    assert!(
        (5..=15).contains(&tries),
        "{tries} of 600 s with more than four"
    );
}

#[test]
fn it_stays_at_what_brings_something() {
    let mut link = Simulation::new(|width| by_stream(width.min(6)));
    assert_eq!(link.after(3.5), 8);
    assert_eq!(link.after(1.5), 6);
}

#[test]
fn a_path_that_becomes_better_is_found_out() {
    let is_better = std::cell::Cell::new(false);
    let mut link = Simulation::new(|width| by_stream(if is_better.get() { width } else { 4 }));
    assert_eq!(link.after(10.0), 4);
    is_better.set(true);
    assert_eq!(link.after(20.0), 8);
}

#[test]
fn noise_leads_nowhere_for_long() {
    let mut wide = 0;
    for seed in 0..50 {
        let mut link = Simulation::new(|_| 4_000_000.0);
        link.random = fastrand::Rng::with_seed(seed);
        link.noise = 0.2;
        wide += (0..60).filter(|_| link.after(1.0) > 6).count();
    }
    assert!(wide < 50 * 60 / 20, "eight in {wide} of 3000 seconds");
}

#[test]
fn trouble_halves_it_for_a_while() {
    let start = Instant::now();
    let at = |tenths: u64| start + Duration::from_millis(100 * tenths);
    let mut adaptive = Adaptive::new(start, 0);
    adaptive.trouble(at(10));
    assert_eq!(adaptive.width, FIRST, "once is an accident");
    for seconds in 2..6 {
        adaptive.trouble(at(10 * seconds));
    }
    assert_eq!((adaptive.width, adaptive.surplus), (2, 2));
    assert!(adaptive.take_back() && adaptive.take_back() && !adaptive.take_back());
    for tenths in [200, 310, 319, 325, 333] {
        assert_eq!(adaptive.sent(1_000_000, true, at(tenths)), 0);
    }
    let added = adaptive.sent(1_000_000, true, at(335));
    assert_eq!((added, adaptive.width), (1, 3), "one at a time from now on");
    for seconds in [100, 101, 200, 201, 300, 301] {
        adaptive.trouble(at(10 * seconds));
    }
    assert_eq!(adaptive.width, 1);
}

#[test]
fn a_limit_halves_at_once() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut adaptive = Adaptive::new(start, 3);
    for (limits, seconds, width) in [(3, 1, 4), (4, 2, 2), (9, 3, 2), (9, 40, 2), (10, 41, 1)] {
        adaptive.limited(limits, at(seconds));
        assert_eq!(adaptive.width, width, "after {seconds} s");
    }
}

#[tokio::test]
async fn what_nobody_waited_for_is_not_kept() {
    let slots = Slots::fixed(1, Arc::default());
    let first = slots.take().await;
    for _ in 0..3 {
        slots.ends_soon();
    }
    slots.nearly_free().await;
    let again = tokio::time::timeout(Duration::from_millis(20), slots.nearly_free()).await;
    assert!(again.is_err(), "one slot is one slot");
    slots.ends_soon();
    drop(first);
    let _second = slots.take().await;
    let again = tokio::time::timeout(Duration::from_millis(20), slots.nearly_free()).await;
    assert!(again.is_err(), "the slot has been taken");
}

#[tokio::test]
async fn whoever_has_the_link_is_alone() {
    let slots = Slots::fixed(2, Arc::default());
    let _slot = slots.take().await;
    let link = slots.take_link();
    assert!(link.is_some() && slots.take_link().is_none());
    let waits = tokio::time::timeout(Duration::from_millis(20), slots.take()).await;
    assert!(waits.is_err(), "there is a slot, but not for now");
    drop(link);
    assert!(slots.take().await.is_some());
}

#[test]
fn less_to_do_says_nothing() {
    let start = Instant::now();
    let mut adaptive = Adaptive::new(start, 0);
    let later = start + START + WINDOW;
    assert_eq!(adaptive.sent(1, false, later), 0);
    assert_eq!(adaptive.sent(1, true, later), 0);
    assert_eq!(adaptive.width, FIRST);
}

#[tokio::test]
async fn surplus_slots_are_not_given_out() {
    let slots = Slots::adaptive(Instant::now(), Arc::default());
    let mut taken = Vec::new();
    for _ in 0..FIRST {
        taken.push(slots.take().await);
    }
    slots.trouble(Instant::now());
    slots.trouble(Instant::now());
    taken.truncate(2);
    let waits = tokio::time::timeout(Duration::from_millis(50), slots.take()).await;
    assert!(waits.is_err(), "two are in use, and two are allowed");
    taken.clear();
    assert!(slots.take().await.is_some());
}
