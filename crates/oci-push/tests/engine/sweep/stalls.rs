//! Requests that hang, at the same time: each is waited for by the machine's own clock.

use futures_util::future::join_all;
use oci_push::UploadMode;
use test_registry::{Personality, Route};

use super::engine::{Engine, Figures};
use super::{Strike, setting, strikes};

fn stalls(mode: UploadMode, is_wanted: impl Fn(&Strike) -> bool) {
    let setting = setting(Personality::Ghcr, mode);
    let mut strikes = strikes(&setting);
    strikes.retain(|strike| strike.takes_long() && is_wanted(strike));
    assert!(!strikes.is_empty());
    let engine = Engine::new(&setting);
    let all = strikes.iter().map(std::slice::from_ref);
    let all = all.map(|strike| engine.struck(strike));
    let mut figures = Figures::default();
    for struck in engine.runtime.block_on(join_all(all)) {
        struck.add(&mut figures);
    }
    figures.print(&setting);
}

fn is_small(strike: &Strike) -> bool {
    !matches!(
        strike.target.route,
        Route::UploadChunk | Route::UploadCommit
    )
}

/// Small requests are given up after half a minute, and sent again.
#[test]
fn small_requests() {
    stalls(UploadMode::Stream, is_small);
}

/// Bodies that have gone into the buffers are waited for as long as the registry might take to store them.
#[test]
#[ignore = "takes minutes"]
fn bodies() {
    for mode in [UploadMode::Stream, UploadMode::Chunked] {
        stalls(mode, |strike| !is_small(strike));
    }
}
