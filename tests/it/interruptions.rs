//! Signals in mid-push: the exit code that the shell's convention asks for, at once, and what is said of the state.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::running::Running;
use crate::support::{Image, Run, TOKEN, USERNAME, push};

#[test]
fn a_signal_ends_a_push_that_waits() {
    for (signal, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        for (route, phase) in [
            (Route::ManifestHead, Phase::BeforeHead),
            (Route::UploadStart, Phase::BeforeState),
            (Route::UploadCommit, Phase::AfterBodyBytes(1000)),
            (Route::ManifestPut, Phase::BeforeState),
        ] {
            let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
            registry.fail(Fault::new(Action::Stall).on(route).at(phase));
            let image = Image::small();
            let reference = format!("{}/owner/app:1", registry.host());
            let running = Running::until(&registry, route, &image, &["image.tar", &reference]);
            let start = Instant::now();
            let run = end_with(signal, running);
            assert_eq!(run.code, Some(code), "{signal} {route:?}: {run:?}");
            assert!(
                start.elapsed() < Duration::from_secs(5),
                "{:?}",
                start.elapsed()
            );
            assert_eq!(run.stdout, "", "no result");
            assert!(run.stderr.contains("interrupted"), "{}", run.stderr);
            let is_whole = route == Route::ManifestPut;
            let rest = if is_whole {
                "not confirmed"
            } else {
                "not published"
            };
            let told = format!("\n{rest} {reference}\n");
            assert!(run.stderr.contains(&told), "{}", run.stderr);
            assert!(run.stderr.contains(" of 3 blobs are stored"));
            assert_eq!(registry.tags("owner/app"), [""; 0]);
        }
    }
}

fn end_with(signal: &str, running: Running) -> Run {
    let script = format!("kill -{signal} {}", running.id());
    let sent = Command::new("sh").args(["-c", &script]).status();
    assert!(sent.expect("a shell").success(), "{script}");
    running.finish()
}

/// Waits until it is so.
#[track_caller]
fn until(mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_mins(1), "it never is");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What is open is cancelled, what is stored is counted, and not sent again.
#[test]
fn a_signal_in_a_layer_cancels_its_session_only() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::new(&SampleImage::of_layers(&[40_000_000, 3000]));
    registry.fail(
        Fault::new(Action::Stall)
            .on(Route::UploadCommit)
            .body_over(1_000_000)
            .at(Phase::AfterBodyBytes(1_000_000))
            .once(),
    );
    let reference = format!("{}/owner/app:1", registry.host());
    let arguments = ["image.tar", "--upload-mode", "stream", &reference];
    let running = Running::until_count(&registry, Route::UploadCommit, 3, &image, &arguments);
    let large = image.sample.largest();
    let small = image.sample.blobs.iter().filter(|(one, _)| one != large);
    let small: Vec<&str> = small.map(|(digest, _)| digest.as_str()).collect();
    assert_eq!(small.len(), 2);
    let is_answered = |digest: &str| registry.journal().uploads_of(digest).stored == 1;
    until(|| small.iter().all(|digest| is_answered(digest)));
    // An answer that has left is not one that was read.
    std::thread::sleep(Duration::from_millis(500));
    let run = end_with("TERM", running);
    run.assert_code(143);
    assert!(
        run.stderr.contains("; 2 of 3 blobs are stored\n"),
        "{}",
        run.stderr
    );
    let journal = registry.journal();
    let cancelled: Vec<&str> = journal
        .of(Route::UploadCancel)
        .map(|one| one.path.as_str())
        .collect();
    let open: Vec<&str> = journal
        .of(Route::UploadCommit)
        .filter(|one| one.status.is_none())
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!((cancelled.len(), cancelled), (1, open));
    registry.clear_journal();

    push(&image, &arguments).assert_code(0);
    let journal = registry.journal();
    for digest in small {
        assert_eq!(journal.uploads_of(digest).commits, 0, "{digest}");
    }
    assert_eq!(journal.uploads_of(large).commits, 1);
}

/// What the registry is about to store is left to it.
#[test]
fn a_signal_cancels_no_session_that_is_being_committed() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    registry.fail(
        Fault::new(Action::Stall)
            .on(Route::UploadCommit)
            .at(Phase::BeforeState),
    );
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let running = Running::until(
        &registry,
        Route::UploadCommit,
        &image,
        &["image.tar", &reference],
    );
    until(|| {
        let journal = registry.journal();
        let bodies = journal.of(Route::UploadCommit);
        bodies.filter(|one| one.body_ended.is_some()).count() == 3
    });
    let run = end_with("INT", running);
    run.assert_code(130);
    assert_eq!(registry.journal().count(Route::UploadCancel), 0);
}

#[test]
fn a_signal_between_two_tags_tells_which_was_moved() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    registry.fail(
        Fault::new(Action::Stall)
            .on(Route::ManifestPut)
            .from_request(2)
            .at(Phase::BeforeState),
    );
    let image = Image::small();
    let reference = format!("{}/owner/app", registry.host());
    let tags = format!("{reference}:1,2");
    let arguments = ["image.tar", tags.as_str()];
    let running = Running::until_count(&registry, Route::ManifestPut, 2, &image, &arguments);
    let run = end_with("INT", running);
    run.assert_code(130);
    for told in [
        "; 3 of 3 blobs are stored\n".to_owned(),
        format!("\npushed {reference}:1\nnot confirmed {reference}:2\n"),
    ] {
        assert!(run.stderr.contains(&told), "{}", run.stderr);
    }
    assert_eq!(registry.tags("owner/app"), ["1"]);
}

/// Also after the push has failed, while the registry is asked for words that it has not said.
#[test]
fn a_signal_ends_the_question_for_words() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    registry.fail(Fault::new(Action::answer(401, &[], "")).on(Route::BlobHead));
    registry.fail(
        Fault::new(Action::Stall)
            .on(Route::BlobGet)
            .at(Phase::BeforeState),
    );
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let arguments = ["image.tar", reference.as_str()];
    let running = Running::until(&registry, Route::BlobGet, &image, &arguments);
    let start = Instant::now();
    let run = end_with("INT", running);
    run.assert_code(130);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

/// What a tag names already is stored, though no blob of it was asked for.
#[test]
fn blobs_of_what_was_there_are_counted() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::small();
    let [first, second] =
        ["app", "other"].map(|name| format!("{}/owner/{name}:1", registry.host()));
    push(&image, &["image.tar", &first]).assert_code(0);
    registry.clear_journal();
    registry.fail(
        Fault::new(Action::Stall)
            .on(Route::BlobHead)
            .at(Phase::BeforeState),
    );
    let arguments = ["image.tar", &first, &second];
    let running = Running::until(&registry, Route::BlobHead, &image, &arguments);
    let run = end_with("INT", running);
    run.assert_code(130);
    for told in [
        "; 3 of 6 blobs are stored\n".to_owned(),
        format!("\nunchanged {first}\nnot published {second}\n"),
    ] {
        assert!(run.stderr.contains(&told), "{}", run.stderr);
    }
}

/// A dry run has pushed nothing, and nothing is to be pushed again.
#[test]
fn a_dry_run_that_a_signal_ends() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    registry.fail(
        Fault::new(Action::Stall)
            .on(Route::BlobHead)
            .at(Phase::BeforeState),
    );
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let arguments = ["-q", "--json", "--dry-run", "image.tar", &reference];
    let running = Running::until(&registry, Route::BlobHead, &image, &arguments);
    let run = end_with("INT", running);
    run.assert_code(130);
    assert_eq!(run.stderr, "error: the dry run was interrupted\n");
    let told: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(told["references"][0]["digest"], image.sample.digest);
}
