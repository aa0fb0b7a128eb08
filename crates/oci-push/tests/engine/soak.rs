//! Two hundred pushes under scripts of random faults, the same in every run: what succeeds is right, and what
//! fails has set no tag.

use std::time::Duration;

use oci_push::UploadMode;
use test_registry::{Action, Fault, Kind, Moment, Options, Route, SampleImage, TestRegistry};

use crate::chance::Chance;
use crate::support::push_leaping;
use crate::support::{
    MIB, PASSWORD, Source, USERNAME, assert_published, assert_unpublished, options,
};

const PUSHES: u64 = 200;

/// A kind of fault that passes, or one of two that a session may well meet, at any moment of any request.
fn fault(chance: &mut Chance) -> Fault {
    let mut actions: Vec<(Action, Moment)> = Vec::new();
    for kind in Kind::all() {
        // One that hangs is waited for by the machine's own clock.
        if kind.passes && kind.action != Action::Stall {
            let moments = kind.all_moments().iter();
            actions.extend(moments.map(|moment| (kind.action.clone(), *moment)));
        }
    }
    for moment in [Moment::Head, Moment::Whole, Moment::Done] {
        let gone = Action::error(404, "BLOB_UPLOAD_UNKNOWN", "unknown");
        let other = Action::error(400, "DIGEST_INVALID", "provided digest did not match");
        actions.extend([(gone, moment), (other, moment)]);
    }
    let route = chance.of(&[
        Route::Token,
        Route::ManifestHead,
        Route::BlobHead,
        Route::UploadStart,
        Route::UploadChunk,
        Route::UploadStatus,
        Route::UploadCommit,
        Route::UploadCommit,
        Route::ManifestPut,
    ]);
    let (action, moment) = chance.of(&actions);
    let number = usize::try_from(chance.below(4)).expect("small") + 1;
    let times = usize::try_from(chance.below(2)).expect("small") + 1;
    Fault::new(action)
        .on(route)
        .at(moment.phase(chance.below(6 * MIB)))
        .from_request(number)
        .times(times)
}

#[test]
fn two_hundred_pushes() {
    let source = Source::new(&SampleImage::of_layers(&[3 * MIB, MIB + 5, 70_000, 500]));
    let (mut published, mut deceived, mut most_bytes) = (0, 0, 0.0_f64);
    for seed in 0..PUSHES {
        let mut chance = Chance(seed);
        let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
        let faults = chance.below(4) + 1;
        let mut script = Vec::new();
        for _ in 0..faults {
            let fault = fault(&mut chance);
            script.push(format!("{fault:?}"));
            registry.fail(fault);
        }
        let mut options = options();
        options.upload_mode = chance.of(&[UploadMode::Auto, UploadMode::Chunked]);
        options.chunk_size = Some(MIB);
        options.http.stall_timeout = Duration::from_secs(2);
        let pushed = push_leaping(&registry, &source, options);
        let tags = registry.tags("owner/app");
        match &pushed.result {
            Ok(_) => {
                assert_published(&registry, &source);
                published += 1;
            }
            // A manifest whose PUT was answered wrongly, or whose tag could not be looked at, may be there.
            Err(_) if !tags.is_empty() => {
                let root = registry.manifest("owner/app", "1").expect("the tag is set");
                assert_eq!(root.digest, source.sample.digest, "{seed}: {script:#?}");
                deceived += 1;
            }
            Err(_) => assert_unpublished(&registry),
        }
        let (sent, size) = (registry.journal().blob_bytes(), source.sample.blob_bytes());
        assert!(
            sent <= size * (2 + 2 * faults),
            "{seed}: {sent} bytes: {script:#?}"
        );
        #[expect(clippy::cast_precision_loss, reason = "a ratio of megabytes")]
        let ratio = sent as f64 / size as f64;
        most_bytes = most_bytes.max(ratio);
    }
    print(published, deceived, most_bytes);
    assert!(
        published * 10 >= PUSHES * 8,
        "only {published} of {PUSHES} succeeded"
    );
}

#[expect(
    clippy::print_stdout,
    reason = "shown where it is asked for, with --nocapture"
)]
fn print(published: u64, deceived: u64, most_bytes: f64) {
    let failed = PUSHES - published - deceived;
    println!(
        "soak: {PUSHES} pushes, {published} published, {failed} failed without a tag, {deceived} failed with the tag \
         that the registry denied; at most {most_bytes:.2} times the bytes"
    );
}
