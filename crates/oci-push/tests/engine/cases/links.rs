//! Links that break, and registries that stop listening.

use std::time::Duration;

use test_registry::{Action, Fault, Phase, Route};

use super::{Case, Form, Seen, in_chunks};
use crate::support::MIB;

super::cases! {
    f01_reset_in_a_body => reset_in_a_body();
    f02_flaky_link => flaky_link();
    f03_stalled_reader => stalled_reader();
    f12_bodies_do_not_pass => bodies_do_not_pass();
}

fn reset_in_a_body() -> Case {
    let reset = |route| {
        Fault::new(Action::Reset)
            .on(route)
            .at(Phase::AfterBodyBytes(5 * MIB))
            .once()
    };
    Case::new(
        "F01",
        "reset in a body",
        vec![
            Form::new("resets the connection after half of the largest layer, once")
                .fault(reset(Route::UploadCommit))
                .at_most(2.1),
            Form::new("the same in the middle of a chunk")
                .fault(
                    Fault::new(Action::Reset)
                        .on(Route::UploadChunk)
                        .at(Phase::AfterBodyBytes(MIB / 2))
                        .from_request(5)
                        .once(),
                )
                .with(in_chunks)
                .at_most(2.1),
        ],
    )
}

/// Breaks here and there, as a bad link does.
fn flaky(seed: u64) -> Vec<Fault> {
    let mut state = seed;
    let mut next = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let routes = [
        Route::Token,
        Route::BlobHead,
        Route::UploadStart,
        Route::UploadCommit,
        Route::ManifestPut,
        Route::UploadCommit,
    ];
    let faults = routes.into_iter().map(|route| {
        let action = if next(2) == 0 {
            Action::Reset
        } else {
            Action::Close
        };
        let phase = match (route, next(3)) {
            (Route::UploadCommit, 0 | 1) => Phase::AfterBodyBytes(next(5 * MIB)),
            (_, 0) => Phase::AfterState,
            _ => Phase::BeforeHead,
        };
        let number = usize::try_from(next(2)).expect("small") + 1;
        Fault::new(action)
            .on(route)
            .at(phase)
            .from_request(number)
            .once()
    });
    faults.collect()
}

fn flaky_link() -> Case {
    let form = |seed| {
        Form::new("breaks connections six times: within bodies, before answers, between requests")
            .layers(&[8 * MIB, 6 * MIB, MIB])
            .guarded()
            .faults(flaky(seed))
            .at_most(4.0)
    };
    Case::new("F02", "flaky link", (1..=5).map(form).collect())
}

fn stalled_reader() -> Case {
    let stall = Fault::new(Action::Stall)
        .on(Route::UploadCommit)
        .at(Phase::AfterBodyBytes(12 * MIB))
        .once();
    Case::new(
        "F03",
        "stalled reader",
        vec![
            Form::new("stops reading at 30 % of a layer, and keeps the connection open")
                .layers(&[40 * MIB])
                .fault(stall)
                .with(|options| options.http.stall_timeout = Duration::from_millis(300))
                .at_most(2.1),
        ],
    )
}

/// Layers of which none is much larger than the others.
const COMPARABLE: [u64; 5] = [9 * MIB, 6 * MIB, 3 * MIB, 100_000, 100_001];

/// Bodies fail for a while, and everything else is well: small bodies find out when that is over.
fn bodies_do_not_pass() -> Case {
    let bodies = |action, phase| Fault::new(action).on(Route::UploadCommit).at(phase);
    let whole = |action| bodies(action, Phase::BeforeState);
    let unavailable = || Action::answer(503, &[], "");
    let form = |what| {
        Form::new(what)
            .layers(&COMPARABLE)
            .with(|options| options.upload_mode = oci_push::UploadMode::Stream)
    };
    Case::new(
        "F12",
        "outage",
        vec![
            form("resets the connection after every whole body for a while, with several comparable layers")
                .fault(whole(Action::Reset).times(20))
                .at_most(3.0)
                .check(large_bodies_wait),
            form("the same after 64 KiB of every body")
                .fault(bodies(Action::Reset, Phase::AfterBodyBytes(64 * 1024)).times(20))
                .at_most(3.0),
            form("answers every whole body with 503 for a while, with several comparable layers")
                .fault(whole(unavailable()).times(20))
                .at_most(3.0)
                .check(large_bodies_wait),
            form("the same for large bodies only")
                .fault(whole(unavailable()).body_over(MIB).times(7))
                .at_most(3.0)
                .check(|seen| assert_lasted(seen, Duration::from_secs(30))),
            form("the same with connections that are reset")
                .fault(whole(Action::Reset).body_over(MIB).times(7))
                .at_most(3.0)
                .check(|seen| assert_lasted(seen, Duration::from_secs(30))),
            form("answers every large body with 503 for ever, with several comparable layers")
                .fault(whole(unavailable()).body_over(MIB))
                .fails("503")
                .check(|seen| {
                    assert_lasted(seen, Duration::from_mins(5));
                    let most = 3 * seen.sample.blob_bytes();
                    assert!(seen.journal.blob_bytes() <= most, "{}", seen.name);
                }),
        ],
    )
}

/// No large body is sent a third time before it is found out that bodies pass.
fn large_bodies_wait(seen: &Seen<'_>) {
    for (digest, size) in &seen.sample.blobs {
        let commits = seen.journal.uploads_of(digest).commits;
        assert!(*size < MIB || commits <= 3, "{}: {commits}", seen.name);
    }
}

/// What failed was tried again for so long.
fn assert_lasted(seen: &Seen<'_>, least: Duration) {
    let waited: Duration = seen.waits.iter().sum();
    assert!(waited >= least, "{}: {waited:?}", seen.name);
}
