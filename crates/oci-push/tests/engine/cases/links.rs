//! Links that break, and registries that stop listening.

use std::time::Duration;

use test_registry::{Action, Fault, Phase, Route};

use super::{Case, Form, in_chunks};
use crate::support::MIB;

super::cases! {
    f01_reset_in_a_body => reset_in_a_body();
    f02_flaky_link => flaky_link();
    f03_stalled_reader => stalled_reader();
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
