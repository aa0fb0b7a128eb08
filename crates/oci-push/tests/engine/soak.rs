//! Two hundred pushes under scripts of random faults, the same in every run: what succeeds is right, and what
//! fails has set no tag.

use std::time::Duration;

use oci_push::UploadMode;
use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::cases::push;
use crate::support::{
    MIB, PASSWORD, Source, USERNAME, assert_published, assert_unpublished, options,
};

const PUSHES: u64 = 200;

/// A small generator: the same numbers on every machine.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    pub(crate) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        let position = self.below(all.len() as u64);
        all[usize::try_from(position).expect("small")].clone()
    }
}

fn fault(chance: &mut Chance) -> Fault {
    let answer = |status: u16, body: &str| Action::Answer {
        status,
        headers: Vec::new(),
        body: body.to_owned(),
    };
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
    let action = chance.of(&[
        Action::Reset,
        Action::Close,
        Action::Delay(Duration::from_millis(50)),
        Action::RevokeTokens,
        answer(500, ""),
        answer(502, "<html>bad gateway</html>"),
        answer(503, "{\"errors\":[{\"code\":\"UN"),
        answer(
            429,
            r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 3ms"}]}"#,
        ),
        answer(403, ""),
        answer(
            404,
            r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"unknown"}]}"#,
        ),
        Action::error(400, "DIGEST_INVALID", "provided digest did not match"),
        Action::error(403, "DENIED", "You have exceeded a secondary rate limit."),
    ]);
    let phase = match chance.below(4) {
        0 => Phase::BeforeHead,
        1 => Phase::BeforeState,
        2 => Phase::AfterState,
        _ => Phase::AfterBodyBytes(chance.below(3 * MIB)),
    };
    let number = usize::try_from(chance.below(4)).expect("small") + 1;
    let times = usize::try_from(chance.below(2)).expect("small") + 1;
    Fault::new(action)
        .on(route)
        .at(phase)
        .from_request(number)
        .times(times)
}

#[test]
fn two_hundred_pushes() {
    let source = Source::new(&SampleImage::of_layers(&[3 * MIB, MIB + 5, 70_000, 500]));
    let mut published = 0;
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
        let pushed = push(&registry, &source, options);
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
            }
            Err(_) => assert_unpublished(&registry),
        }
        let sent = registry.journal().blob_bytes();
        let most = source.sample.blob_bytes() * (2 + 2 * faults);
        assert!(sent <= most, "{seed}: {sent} bytes: {script:#?}");
    }
    assert!(
        published * 10 >= PUSHES * 8,
        "only {published} of {PUSHES} succeeded"
    );
}
