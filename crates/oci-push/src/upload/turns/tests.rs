use super::super::effort::Effort;
use super::*;

const MIB: u64 = 1024 * 1024;

/// Blobs of one repository, each with what it has cost.
struct Repository<'a> {
    economy: &'a Economy,
    shares: Vec<Share<'a>>,
    efforts: Vec<Effort>,
    sizes: Vec<u64>,
    sent: u64,
}

impl<'a> Repository<'a> {
    /// Every blob is sent once.
    fn new(economy: &'a Economy, sizes: &[u64]) -> Self {
        let shares: Vec<Share<'_>> = sizes.iter().map(|size| economy.offer(*size)).collect();
        let effort = |(share, size): (&Share<'_>, &u64)| Effort::new(share.number(), *size);
        Self {
            economy,
            efforts: shares.iter().zip(sizes).map(effort).collect(),
            shares,
            sizes: sizes.to_vec(),
            sent: sizes.iter().sum(),
        }
    }

    fn fail(&mut self, place: usize) {
        self.efforts[place].failed(self.sizes[place], false, self.economy);
        self.economy.queue(self.shares[place].number());
    }

    fn succeed(&mut self, place: usize) {
        self.efforts[place].succeeded(self.economy, Instant::now());
    }

    fn turn(&mut self, place: usize) -> Turn {
        let left = self.efforts[place].left();
        let turn = self.economy.turn(self.shares[place].number(), left);
        if matches!(turn, Turn::Again { .. } | Turn::Probe { .. }) {
            self.sent += self.sizes[place];
        }
        turn
    }
}

const RELIEVED: Turn = Turn::Again { is_relieved: true };

#[test]
fn the_smallest_finds_out() {
    let economy = Economy::default();
    let mut blobs = Repository::new(&economy, &[9 * MIB, 500, 6 * MIB, 3 * MIB]);
    for place in 0..4 {
        blobs.fail(place);
    }
    for _ in 0..20 {
        assert_eq!(blobs.turn(0), Turn::Wait);
        assert_eq!(blobs.turn(2), Turn::Wait);
        assert_eq!(blobs.turn(1), Turn::Probe { uploads: None });
        assert_eq!(blobs.turn(3), Turn::Wait);
        blobs.fail(1);
    }
    assert_eq!(blobs.turn(1), Turn::Probe { uploads: None });
    blobs.succeed(1);
    for place in [0, 2, 3] {
        assert_eq!(blobs.turn(place), RELIEVED);
    }
}

#[test]
fn little_is_tried_again_at_once() {
    let economy = Economy::default();
    let mut blobs = Repository::new(&economy, &[3 * MIB, 30 * MIB]);
    blobs.fail(0);
    assert_eq!(blobs.turn(0), Turn::Again { is_relieved: false });
    blobs.fail(1);
    // The first may arrive, and what it may cost does not keep the other.
    assert_eq!(blobs.turn(1), Turn::Probe { uploads: Some(2) });
}

/// What is much smaller does not wait for a large blob that is on its way.
#[test]
fn small_blobs_do_not_wait_for_large_ones() {
    let economy = Economy::default();
    let mut blobs = Repository::new(&economy, &[80 * MIB, 548, 70 * MIB]);
    blobs.fail(0);
    assert!(matches!(blobs.turn(0), Turn::Probe { .. }));
    blobs.fail(2);
    assert_eq!(blobs.turn(2), Turn::Wait);
    blobs.fail(1);
    assert!(!economy.is_cheapest(blobs.shares[0].number()));
    assert_eq!(blobs.turn(1), Turn::Probe { uploads: None });
    assert_eq!(blobs.turn(0), Turn::Wait);
    blobs.succeed(1);
    assert_eq!(blobs.turn(0), RELIEVED);
    // The rest of what may be lost is at stake already, which is no reason to give up.
    assert_eq!(blobs.turn(2), RELIEVED);
}

#[test]
fn what_is_on_its_way_is_waited_for() {
    let economy = Economy::default();
    let mut blobs = Repository::new(&economy, &[10 * MIB, 10 * MIB]);
    for _ in 0..2 {
        blobs.fail(0);
        assert!(matches!(
            blobs.turn(0),
            Turn::Probe { .. } | Turn::Again { .. }
        ));
    }
    blobs.fail(1);
    assert_eq!(blobs.turn(1), Turn::Wait);
    blobs.succeed(0);
    assert_eq!(blobs.turn(1), Turn::Again { is_relieved: true });
}

/// Who ends for another reason keeps nobody waiting.
#[test]
fn one_that_ends() {
    let economy = Economy::default();
    let mut blobs = Repository::new(&economy, &[10 * MIB, 11 * MIB]);
    blobs.fail(0);
    blobs.fail(1);
    assert!(matches!(blobs.turn(0), Turn::Probe { .. }));
    assert_eq!(blobs.turn(1), Turn::Wait);
    drop(blobs.shares.remove(0));
    let left = blobs.efforts[1].left();
    let turn = economy.turn(blobs.shares[0].number(), left);
    assert!(matches!(turn, Turn::Probe { .. }), "{turn:?}");
}

/// However many blobs are refused for ever, all together cost at most three times their bytes, or the largest four
/// times its own.
#[test]
fn what_a_repository_costs() {
    for (sizes, times) in [
        (&[40, 20, 10, 5, 5][..], 3),
        (&[40], 4),
        (&[40, 1], 4),
        (&[7, 7, 7], 3),
        (&[1; 30], 3),
    ] {
        let sizes: Vec<u64> = sizes.iter().map(|size| size * MIB).collect();
        let economy = Economy::default();
        let mut blobs = Repository::new(&economy, &sizes);
        for place in 0..sizes.len() {
            blobs.fail(place);
        }
        let mut is_open = vec![true; sizes.len()];
        while is_open.iter().any(|is_open| *is_open) {
            for (place, is_open) in is_open.iter_mut().enumerate() {
                if !*is_open {
                    continue;
                }
                match blobs.turn(place) {
                    Turn::Wait => {}
                    Turn::Never => *is_open = false,
                    Turn::Again { .. } | Turn::Probe { .. } => blobs.fail(place),
                }
            }
        }
        let most = times * sizes.iter().sum::<u64>();
        assert!(blobs.sent <= most, "{} of {most} for {sizes:?}", blobs.sent);
        assert!(
            blobs.sent * 10 >= most * 6,
            "{} of {most} for {sizes:?}",
            blobs.sent
        );
    }
}

#[test]
fn the_last_uploads_last() {
    let mut left = Duration::from_mins(10);
    let mut waits = Vec::new();
    for uploads in (1..=8).rev() {
        let wait = spread(uploads, left);
        left -= wait;
        waits.push(wait.as_secs());
    }
    assert_eq!(waits, [0, 3, 5, 9, 19, 37, 65, 305]);
}
