//! How lines are set in windows of several widths.

use super::*;

/// In a narrow window names are shorter, and a reason has a line of its own.
#[test]
fn narrow_windows() {
    let mut play = Play::new(2);
    play.start(0..2, 4_000_000);
    for step in 1..=8 {
        play.progress(0, step * 250_000);
        play.pass(500);
    }
    play.commit(1, 4_000_000);
    play.pass(3000);
    play.retry(None, "the registry answered 503 Service Unavailable", 3);
    play.pass(500);
    for (width, expected) in [
        (
            80,
            expect![[r"
            000000000000   [======      ]     2.0 MB/4.0 MB uploading 150.0 kB/s
            010101010101   [============]     4.0 MB/4.0 MB committing for 3 s
            check-blob     retrying in 3 s: the registry answered 503 Service Unavailable
            0/2 blobs      [=========   ]     6.0 MB/8.0 MB 950.0 kB/s, 3 s left
        "]],
        ),
        (
            60,
            expect![[r"
            000000000000  50 % uploading 150.0 kB/s
            010101010101 100 % committing for 3 s
            check-blob   retrying in 3 s
              the registry answered 503 Service Unavailable
            0/2 blobs     75 % 950.0 kB/s, 3 s left
        "]],
        ),
        (
            40,
            expect![[r"
            00000000  50 % 150.0 kB/s
            01010101 committing for 3 s
            check-blob retrying in 3 s
              the registry answered 503 Service Unavailable
            0/2 blobs  75 % 3 s left
        "]],
        ),
        (
            30,
            expect![[r"
            00000000  50 % 150.0 kB/s
            01010101 committing for 3 s
            check-blob retrying in 3 s
              the registry answered 503 Service Unavailable
            0/2 blobs  75 % 3 s left
        "]],
        ),
    ] {
        play.check(width, &expected);
    }
}

/// Everything but a reason fits into 80 columns, with room for `^C`.
#[test]
fn lines_fit() {
    let outlook = "123.4 MB/s, 12 min 05 s left";
    let longest = Layout::of(77).line("cancel-upload", 123_400_000, 999_900_000, outlook);
    assert!(longest.len() <= 77, "{longest}");
    let mut play = Play::new(120);
    play.start(0..8, 999_900_000);
    for step in 1..=40 {
        for blob in 0..8 {
            play.progress(blob, step * 123_400);
        }
        play.pass(250);
    }
    for room in [27, 45, 46, 57, 69, 77, 97, 157] {
        for line in play.board.lines(play.now, room) {
            assert!(line.len() <= room, "{room}: {line}");
        }
    }
}

/// What fits nowhere is cut by whoever draws it.
#[test]
fn no_window_is_too_narrow() {
    for room in 0..200 {
        let mut play = Play::new(1);
        let lines = play.board.lines(play.now, room);
        assert_eq!(lines.len(), 1, "{room}: {lines:?}");
        // Nothing is open any more, and nothing has gone.
        play.note(&Event::BlobChecked {
            digest: &Digest::of(oci_archive::Algorithm::Sha256, b""),
            size: 1000,
            exists: false,
        });
        let lines = play.board.lines(play.now, room);
        assert_eq!(lines.len(), 1, "{room}: {lines:?}");
    }
}
