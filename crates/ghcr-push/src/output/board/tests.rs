//! What stands on the terminal after given events, at given times.

mod flow;
mod interruptions;
mod windows;

use expect_test::{Expect, expect};
use oci_push::{Mode, Step};

use super::*;

/// A push to look at, its time invented.
struct Play {
    board: Board,
    now: Instant,
}

impl Play {
    fn new(blobs: usize) -> Self {
        let mut play = Self {
            board: Board::default(),
            now: Instant::now(),
        };
        play.note(&Event::RepositoryStarted {
            repository: "ghcr.io/owner/app",
            blobs,
            bytes: 0,
        });
        play
    }

    fn note(&mut self, event: &Event<'_>) {
        self.board.note(event, self.now);
    }

    /// The registry lacks these, and is asked to take them over.
    fn mount(&mut self, blobs: std::ops::Range<u8>, size: u64) {
        for digest in blobs.map(digest) {
            self.note(&Event::BlobChecked {
                digest: &digest,
                size,
                exists: false,
            });
            self.note(&Event::BlobMounting {
                digest: &digest,
                size,
                source: "owner/base",
            });
        }
    }

    /// The registry lacks these, and their uploads begin.
    fn start(&mut self, blobs: std::ops::Range<u8>, size: u64) {
        self.mount(blobs.clone(), size);
        for digest in blobs.map(digest) {
            self.note(&Event::BlobStarted {
                digest: &digest,
                size,
                mode: Mode::Streamed,
                reason: "it is small",
            });
        }
    }

    /// All of a blob is sent.
    fn commit(&mut self, blob: u8, size: u64) {
        self.progress(blob, size);
        let digest = digest(blob);
        self.note(&Event::BlobCommitting { digest: &digest });
    }

    fn progress(&mut self, blob: u8, offset: u64) {
        let digest = digest(blob);
        self.note(&Event::BlobProgress {
            digest: &digest,
            offset,
        });
    }

    fn finish(&mut self, blob: u8, size: u64) {
        let digest = digest(blob);
        self.note(&Event::BlobFinished {
            digest: &digest,
            size,
        });
    }

    fn interrupt(&mut self, blob: u8, offset: u64) {
        let digest = digest(blob);
        self.note(&Event::BlobInterrupted {
            digest: &digest,
            offset,
            cause: "no connection to the host could be made",
        });
    }

    fn retry(&mut self, blob: Option<u8>, cause: &str, seconds: u64) {
        let digest = blob.map(digest);
        self.note(&Event::Retrying {
            step: Step::CheckBlob,
            digest: digest.as_ref(),
            cause,
            wait: Duration::from_secs(seconds),
            attempt: 1,
        });
    }

    /// Time passes, and is noticed eight times a second.
    fn pass(&mut self, millis: u64) {
        for _ in 0..millis / 125 {
            self.now += Duration::from_millis(125);
            self.board.pass(self.now, 8);
        }
    }

    #[track_caller]
    fn check(&self, width: usize, expected: &Expect) {
        let lines = self.board.lines(self.now, width - 3);
        expected.assert_eq(&(lines.join("\n") + "\n"));
    }
}

fn digest(blob: u8) -> Digest {
    let text = format!("sha256:{}", format!("{blob:02x}").repeat(32));
    text.parse().expect("a digest")
}

#[test]
fn from_the_first_question_to_the_last_blob() {
    let mut play = Play::new(3);
    play.check(
        80,
        &expect![[r"
        0/3 blobs      checking
    "]],
    );
    play.mount(0..1, 4_000_000);
    play.note(&Event::BlobChecked {
        digest: &digest(9),
        size: 5000,
        exists: true,
    });
    // Not yet old enough for a line.
    play.pass(250);
    play.check(
        80,
        &expect![[r"
            1/3 blobs      0 B/4.0 MB so far, checking
        "]],
    );
    play.pass(250);
    play.check(
        80,
        &expect![[r"
            000000000000   [            ]        0 B/4.0 MB mounting from owner/base
            1/3 blobs      0 B/4.0 MB so far, checking
        "]],
    );
    play.start(0..1, 4_000_000);
    play.start(1..2, 90_000_000);
    for step in 1..=8 {
        play.progress(0, step * 500_000);
        play.progress(1, step * 1_000_000);
        play.pass(500);
    }
    play.check(
        80,
        &expect![[r"
            000000000000   [============]     4.0 MB/4.0 MB uploading 1.0 MB/s
            010101010101   [=           ]    8.0 MB/90.0 MB uploading 2.0 MB/s
            1/3 blobs      [=           ]   12.0 MB/94.0 MB 3.0 MB/s, 28 s left
        "]],
    );
    play.commit(0, 4_000_000);
    play.pass(3000);
    play.check(
        80,
        &expect![[r"
            000000000000   [============]     4.0 MB/4.0 MB committing for 3 s
            010101010101   [=           ]    8.0 MB/90.0 MB uploading 800.0 kB/s
            1/3 blobs      [=           ]   12.0 MB/94.0 MB 1.2 MB/s, 1 min 09 s left
        "]],
    );
    play.finish(0, 4_000_000);
    play.pass(125);
    play.check(
        80,
        &expect![[r"
            000000000000   [============]     4.0 MB/4.0 MB done
            010101010101   [=           ]    8.0 MB/90.0 MB uploading 600.0 kB/s
            2/3 blobs      [=           ]   12.0 MB/94.0 MB 900.0 kB/s, 1 min 32 s left
        "]],
    );
    play.pass(1000);
    play.check(
        80,
        &expect![[r"
            010101010101   [=           ]    8.0 MB/90.0 MB uploading 200.0 kB/s
            2/3 blobs      [=           ]   12.0 MB/94.0 MB 300.0 kB/s, 4 min 34 s left
        "]],
    );
    play.check(
        140,
        &expect![[r"
            010101010101   [==                            ]    8.0 MB/90.0 MB uploading 200.0 kB/s
            2/3 blobs      [===                           ]   12.0 MB/94.0 MB 300.0 kB/s, 4 min 34 s left
        "]],
    );
    play.check(
        60,
        &expect![[r"
            010101010101   8 % uploading 200.0 kB/s
            2/3 blobs     12 % 300.0 kB/s, 4 min 34 s left
        "]],
    );
    play.finish(1, 90_000_000);
    play.pass(2000);
    play.check(
        80,
        &expect![[r"
        3/3 blobs      [============]   94.0 MB/94.0 MB storing manifests
    "]],
    );
}

/// A wait is counted down, its reason told and harmless; afterwards it goes on, or is gone.
#[test]
fn retries() {
    let mut play = Play::new(2);
    play.start(0..1, 4_000_000);
    play.pass(500);
    play.retry(Some(0), "it said \u{1b}[31m503", 3);
    play.retry(None, "429 Too Many Requests", 2);
    play.pass(500);
    play.check(
        80,
        &expect![[r"
            000000000000   [            ]        0 B/4.0 MB retrying in 3 s
              it said \u{1b}[31m503
            check-blob     retrying in 2 s: 429 Too Many Requests
            0/2 blobs      0 B/4.0 MB so far, checking
        "]],
    );
    play.pass(1000);
    play.check(
        80,
        &expect![[r"
            000000000000   [            ]        0 B/4.0 MB retrying in 2 s
              it said \u{1b}[31m503
            check-blob     retrying in 1 s: 429 Too Many Requests
            0/2 blobs      0 B/4.0 MB so far, checking
        "]],
    );
    play.pass(2000);
    play.check(
        80,
        &expect![[r"
            000000000000   [            ]        0 B/4.0 MB waiting
              it said \u{1b}[31m503
            0/2 blobs      0 B/4.0 MB so far, checking
        "]],
    );
}

/// With any number of blobs there are at most so many lines, and what has one keeps its place.
#[test]
fn a_hundred_and_twenty_layers() {
    let mut play = Play::new(120);
    play.start(0..120, 1_000_000);
    play.pass(500);
    let names = |play: &Play| -> Vec<String> {
        let lines = play.board.lines(play.now, 77);
        lines.iter().map(|line| line[..12].to_owned()).collect()
    };
    let before = names(&play);
    assert_eq!(before.len(), 9, "{before:?}");
    play.finish(3, 1_000_000);
    play.pass(125);
    let after = names(&play);
    assert_eq!(after.len(), 9, "{after:?}");
    let moved = before
        .iter()
        .zip(&after)
        .filter(|(one, other)| one != other);
    assert_eq!(
        moved.count(),
        2,
        "the one that is done, and the count: {after:?}"
    );
    // Quick ones never get a line.
    let mut play = Play::new(120);
    for blob in 0..120 {
        play.start(blob..blob + 1, 1000);
        play.pass(125);
        play.finish(blob, 1000);
        play.pass(125);
        assert_eq!(names(&play).len(), 1);
    }
}

/// What is looked up or sent twice is counted once, also in the next repository.
#[test]
fn counted_once() {
    let mut play = Play::new(2);
    for _ in 0..2 {
        play.start(0..1, 1000);
        play.finish(0, 1000);
    }
    play.check(
        80,
        &expect![[r"
            1/2 blobs      1.0 kB/1.0 kB so far, checking
        "]],
    );
    play.note(&Event::RepositoryStarted {
        repository: "ghcr.io/owner/other",
        blobs: 2,
        bytes: 0,
    });
    play.start(0..2, 1000);
    play.finish(0, 1000);
    play.check(
        80,
        &expect![[r"
        3/4 blobs      [========    ]     2.0 kB/3.0 kB
    "]],
    );
}

/// What a log is told now and then: the whole, and what it waits for if nothing moves.
#[test]
fn heartbeats() {
    let mut play = Play::new(3);
    let heartbeat = |play: &Play| play.board.heartbeat(play.now).unwrap_or_default();
    assert_eq!(heartbeat(&play), "");
    play.start(0..2, 9_000_000);
    play.start(2..3, 1000);
    play.finish(2, 1000);
    for step in 1..=12 {
        play.progress(0, step * 500_000);
        play.pass(500);
    }
    assert_eq!(
        heartbeat(&play),
        "1/3 blobs, 6.0 MB/18.0 MB sent, 1.0 MB/s, 12 s left"
    );
    play.commit(0, 9_000_000);
    play.pass(12_000);
    assert_eq!(
        heartbeat(&play),
        "1/3 blobs, 9.0 MB/18.0 MB sent, 010101010101 uploading, nothing for 18 s (and 1 more)"
    );
    play.finish(1, 9_000_000);
    play.pass(12_000);
    assert_eq!(
        heartbeat(&play),
        "2/3 blobs, 18.0 MB/18.0 MB sent, 000000000000 committing for 24 s"
    );
    play.retry(Some(0), "503", 60);
    assert_eq!(heartbeat(&play), "", "the wait was told");
}
