//! What stands on the terminal while uploads that broke off wait.

use super::*;

const SIZE: u64 = 2_000_000;

/// Three blobs whose uploads broke off: one of a whole stream, one of chunks, one that is tried again soon.
fn outage() -> Play {
    let mut play = Play::new(3);
    play.start(0..3, SIZE);
    for step in 1..=4 {
        for blob in 0..3 {
            play.progress(blob, step * SIZE / 4);
        }
        play.pass(500);
    }
    play.interrupt(0, 0);
    play.interrupt(1, SIZE / 2);
    play.interrupt(2, 0);
    let cause = "no connection to the host could be made";
    play.retry(Some(2), cause, 2);
    play.pass(250);
    play
}

/// Nothing that is lost is claimed, and nothing moves; the reason is told once.
#[test]
fn what_broke_off_waits() {
    let mut play = outage();
    play.check(
        80,
        &expect![[r"
        000000000000   [            ]        0 B/2.0 MB waiting
          no connection to the host could be made
        010101010101   [======      ]     1.0 MB/2.0 MB waiting
        020202020202   [            ]        0 B/2.0 MB retrying in 2 s
        0/3 blobs      [==          ]     1.0 MB/6.0 MB waiting
    "]],
    );
    play.check(140, &expect![[r"
        000000000000   [                              ]        0 B/2.0 MB waiting: no connection to the host could be made
        010101010101   [===============               ]     1.0 MB/2.0 MB waiting: no connection to the host could be made
        020202020202   [                              ]        0 B/2.0 MB retrying in 2 s: no connection to the host could be made
        0/3 blobs      [=====                         ]     1.0 MB/6.0 MB waiting
    "]]);
    play.check(
        40,
        &expect![[r"
        000000000000 waiting
          no connection to the host could be made
        010101010101 waiting
        020202020202 retrying in 2 s
        0/3 blobs  16 % waiting
    "]],
    );
    // The wait is over, and others go first.
    play.pass(7_000);
    play.check(
        80,
        &expect![[r"
        000000000000   [            ]        0 B/2.0 MB waiting for 7 s
          no connection to the host could be made
        010101010101   [======      ]     1.0 MB/2.0 MB waiting for 7 s
        020202020202   [            ]        0 B/2.0 MB waiting for 5 s
        0/3 blobs      [==          ]     1.0 MB/6.0 MB waiting
    "]],
    );
    let heartbeat = play.board.heartbeat(play.now).unwrap_or_default();
    assert_eq!(
        heartbeat,
        "0/3 blobs, 1.0 MB/6.0 MB sent, 000000000000 waiting for 7 s (and 2 more)"
    );
}

/// The first byte that goes ends it, and nothing of the time before counts.
#[test]
fn what_goes_on_is_uploaded() {
    let mut play = outage();
    play.pass(4_000);
    play.progress(1, SIZE / 2 + 100_000);
    play.pass(500);
    for step in 2..=4 {
        play.progress(1, SIZE / 2 + step * 100_000);
        play.pass(500);
    }
    play.check(
        80,
        &expect![[r"
        000000000000   [            ]        0 B/2.0 MB waiting for 6 s
          no connection to the host could be made
        010101010101   [========    ]     1.4 MB/2.0 MB uploading 200.0 kB/s
        020202020202   [            ]        0 B/2.0 MB waiting for 4 s
        0/3 blobs      [==          ]     1.4 MB/6.0 MB 200.0 kB/s, 23 s left
    "]],
    );
    play.start(0..1, SIZE);
    play.finish(2, SIZE);
    play.pass(125);
    play.check(
        80,
        &expect![[r"
        000000000000   [            ]        0 B/2.0 MB uploading
        010101010101   [========    ]     1.4 MB/2.0 MB uploading 177.8 kB/s
        020202020202   [============]     2.0 MB/2.0 MB done
        1/3 blobs      [======      ]     3.4 MB/6.0 MB 200.0 kB/s, 13 s left
    "]],
    );
}
