//! How blobs get to the registry: options that say so, and what an interrupted run leaves for the next.

use std::process::Command;

use expect_test::expect;
use serde_json::Value;
use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::archives::registry;
use crate::running::Running;
use crate::support::{Image, TOKEN, USERNAME, check, push};

const MIB: u64 = 1024 * 1024;

/// What the second run prints, and that it sends only what the first has not.
#[cfg(unix)]
#[test]
fn an_interrupted_upload_goes_on() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::new(&SampleImage::of_layers(&[66 * MIB]));
    registry.fail(
        Fault::new(Action::Stall)
            .on(Route::UploadChunk)
            .at(Phase::BeforeHead)
            .from_request(9)
            .once(),
    );
    let reference = format!("{}/owner/app:1", registry.host());
    let ghcr = ["--registry-profile", "ghcr", "image.tar", &reference];
    let arguments = [&["--upload-mode", "chunked"], &ghcr[..]].concat();
    let running = Running::until_count(&registry, Route::UploadChunk, 9, &image, &arguments);
    let signal = format!("kill -TERM {}", running.id());
    let sent = Command::new("sh").args(["-c", &signal]).status();
    assert!(sent.expect("a shell starts").success());
    running.finish().assert_code(143);
    let before = registry.journal().blob_bytes();
    assert_eq!(
        registry.journal().count(Route::UploadCancel),
        0,
        "it is wanted still"
    );
    registry.clear_journal();

    let run = push(&image, &ghcr);
    run.assert_code(0);
    assert!(
        run.stderr.contains("an earlier run has sent a part of it"),
        "{}",
        run.stderr
    );
    let journal = registry.journal();
    assert!(journal.blob_bytes() <= image.sample.blob_bytes() - before + 4 * MIB);
    assert_eq!(journal.uploads_of(image.sample.largest()).stored, 1);
    let uploads = image.directory.path().join(".cache/ghcr-push/uploads");
    let left = std::fs::read_dir(uploads).expect("it is there").count();
    assert_eq!(left, 0, "nothing is left to go on with");
}

#[test]
fn blobs_are_taken_over() {
    let registry = registry();
    let image = Image::small();
    let base = format!("{}/owner/base", registry.host());
    let reference = format!("{}/owner/app:1", registry.host());
    push(&image, &["image.tar", &base]).assert_code(0);
    let run = push(
        &image,
        &["--json", "--mount-from", &base, "image.tar", &reference],
    );
    run.assert_code(0);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["blobs"]["mounted"], 3, "{}", run.stdout);
    assert_eq!(json["blobs"]["bytesUploaded"], 0, "{}", run.stdout);
    assert!(
        run.stderr.contains("taken over from owner/base"),
        "{}",
        run.stderr
    );
}

#[test]
fn another_registry_has_nothing_to_take_over() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(
        &image,
        &[
            "-q",
            "--mount-from",
            "ghcr.io/owner/base",
            "image.tar",
            &reference,
        ],
    );
    check(
        &run,
        &registry.host(),
        2,
        &expect![[r"
            error: --mount-from: ghcr.io/owner/base is not on a registry that is pushed to

            hint: a registry takes blobs over from its own repositories only
        "]],
    );
    assert_eq!(registry.journal().exchanges.len(), 0);
}

#[test]
fn rates_and_jobs() {
    let image = Image::small();
    for arguments in [
        ["--limit-rate", "1MB"],
        ["--jobs", "2"],
        ["--registry-profile", "gar"],
    ] {
        let registry = registry();
        let reference = format!("{}/owner/app:1", registry.host());
        let mut all = arguments.to_vec();
        all.extend(["image.tar", &reference]);
        push(&image, &all).assert_code(0);
        assert_eq!(registry.tags("owner/app"), ["1"]);
    }
    for wrong in [
        ["--limit-rate", "0"],
        ["--jobs", "0"],
        ["--limit-rate", "fast"],
    ] {
        let mut all = wrong.to_vec();
        all.extend(["image.tar", "localhost:1/owner/app"]);
        push(&image, &all).assert_code(2);
    }
}
