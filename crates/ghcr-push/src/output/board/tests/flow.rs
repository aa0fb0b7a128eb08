//! What has a row while many blobs follow one another, and when it is told how long it will take.

use super::*;

/// Where every request takes long, so does what comes next: rows tell of what is in flight, not of what is done.
#[test]
fn rows_are_for_what_is_in_flight() {
    let mut play = Play::new(120);
    play.start(0..16, 2000);
    play.pass(500);
    let mut next = 16;
    for _ in 0..4 {
        play.pass(1000);
        for blob in next - 16..next {
            play.finish(blob, 2000);
        }
        play.start(next..next + 16, 2000);
        next += 16;
        play.pass(125);
        let lines = play.board.lines(play.now, 77);
        let rows = &lines[..lines.len() - 1];
        assert_eq!(rows.len(), 8, "{lines:?}");
        for row in rows {
            assert!(!row.ends_with("done"), "{lines:?}");
        }
    }
}

/// What is over at once gets no row, also where many such follow one another.
#[test]
fn what_is_over_at_once_gets_no_row() {
    let mut play = Play::new(120);
    for blob in 0..60 {
        play.start(blob..blob + 1, 2000);
        play.pass(125);
        play.finish(blob, 2000);
        assert_eq!(play.board.lines(play.now, 77).len(), 1, "{blob}");
    }
}

/// As long as blobs are still asked for, all that may have to be sent bounds the time.
#[test]
fn a_bound_before_all_is_known() {
    let mut play = Play::new(0);
    play.note(&Event::RepositoryStarted {
        repository: "ghcr.io/owner/app",
        blobs: 3,
        bytes: 9_000_000,
    });
    play.start(0..1, 4_000_000);
    for step in 1..=4 {
        play.pass(500);
        play.progress(0, step * 500_000);
    }
    play.pass(250);
    let total = |play: &Play| play.board.lines(play.now, 97).pop().unwrap_or_default();
    let told = total(&play);
    assert!(told.ends_with(" MB/s, at most 7 s left"), "{told}");
    for blob in 1..3 {
        let (digest, size) = (digest(blob), 2_500_000);
        play.note(&Event::BlobChecked {
            digest: &digest,
            size,
            exists: true,
        });
    }
    let told = total(&play);
    assert!(told.ends_with(" MB/s, 2 s left"), "{told}");
}

/// What is sent whole has no rate any more, and no time left: it waits for the registry.
#[test]
fn all_is_sent() {
    let mut play = Play::new(2);
    play.start(0..2, 4_000_000);
    for step in 1..=4 {
        play.progress(0, step * 1_000_000);
        play.progress(1, step * 1_000_000);
        play.pass(500);
    }
    play.commit(0, 4_000_000);
    play.commit(1, 4_000_000);
    play.pass(125);
    play.check(
        80,
        &expect![[r"
            000000000000   [============]     4.0 MB/4.0 MB committing
            010101010101   [============]     4.0 MB/4.0 MB committing
            0/2 blobs      [============]     8.0 MB/8.0 MB committing
        "]],
    );
}
