//! What is told of a push while it goes on: events for programs.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{Image, Run, TOKEN, USERNAME, command, push, push_command};

fn registry() -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, TOKEN))
}

/// The events on standard error, which holds nothing else.
#[track_caller]
fn events(run: &Run) -> Vec<Value> {
    let lines = run.stderr.lines();
    let read = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(event) if event["event"].is_string() && event["elapsedMs"].is_u64() => event,
        _ => panic!("{line} is no event"),
    };
    lines.map(read).collect()
}

fn names(events: &[Value]) -> BTreeSet<&str> {
    let names = events.iter().filter_map(|event| event["event"].as_str());
    names.collect()
}

fn find<'a>(events: &'a [Value], name: &str) -> &'a Value {
    let mut of_name = events.iter().filter(|event| event["event"] == name);
    of_name
        .next()
        .unwrap_or_else(|| panic!("no {name}: {events:?}"))
}

/// From the first event to the last, with what is told in words otherwise.
#[test]
fn a_push_as_events() {
    let registry = registry();
    let image = Image::new(&SampleImage::of_layers(&[3000, 5 << 20]));
    let reference = format!("{}/owner/App:1", registry.host());
    let broken = Fault::new(Action::Reset)
        .on(Route::UploadCommit)
        .at(Phase::AfterBodyBytes(1000))
        .once();
    registry.fail(broken);
    let run = push(
        &image,
        &["--progress", "json", "-v", "image.tar", &reference],
    );
    run.assert_code(0);
    let reference = reference.to_lowercase();
    assert_eq!(run.stdout, format!("{reference}@{}\n", image.sample.digest));
    let events = events(&run);
    let expected = [
        "blob-checked",
        "blob-committing",
        "blob-finished",
        "blob-interrupted",
        "blob-progress",
        "blob-started",
        "finished",
        "log",
        "notice",
        "reference-settled",
        "repository-started",
        "retrying",
        "token-fetched",
    ];
    assert_eq!(names(&events), BTreeSet::from(expected));
    assert_eq!(
        find(&events, "repository-started")["blobs"],
        image.sample.blobs.len()
    );
    let interrupted = find(&events, "blob-interrupted");
    assert_eq!(interrupted["offset"], 0, "a stream keeps nothing");
    let retrying = find(&events, "retrying");
    assert_eq!(retrying["attempt"], 1);
    assert_eq!(retrying["digest"], interrupted["digest"]);
    assert!(retrying["waitMs"].is_u64(), "{retrying}");
    let notices = events.iter().filter(|event| event["event"] == "notice");
    let levels: BTreeSet<&str> = notices
        .filter_map(|event| event["level"].as_str())
        .collect();
    assert_eq!(levels, BTreeSet::from(["information", "notice"]));
    let last = events.last().expect("there are events");
    assert_eq!(last["event"], "finished");
    assert_eq!(last["status"], "pushed");
    assert_eq!(last["digest"], image.sample.digest.as_str());
    // A token for the registry is no concern of whoever reads along.
    assert!(!run.stderr.contains(TOKEN), "{}", run.stderr);
}

/// Standard input comes as slowly as whatever writes it.
#[test]
fn how_much_of_standard_input_is_read() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let archive = std::fs::read(image.directory.path().join("image.tar")).expect("readable");
    for (quiet, is_told) in [(&[][..], true), (&["-q"], false)] {
        let mut child = push_command(&image, &["--progress", "json", "-", &reference])
            .args(quiet)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(&archive).expect("it is read");
        thread::sleep(Duration::from_millis(1500));
        drop(input);
        let run = Run::of(child.wait_with_output().expect("it ends"));
        run.assert_code(0);
        let events = events(&run);
        let of_input = events
            .iter()
            .find(|event| event["event"] == "input-progress");
        let expected = is_told.then_some(archive.len() as u64);
        assert_eq!(
            of_input.and_then(|event| event["bytes"].as_u64()),
            expected,
            "{events:?}"
        );
    }
}

fn digests(image: &Image) -> BTreeSet<&str> {
    let blobs = image.sample.blobs.iter();
    blobs.map(|(digest, _)| digest.as_str()).collect()
}

/// What is tried again for a blob names it, whatever the request.
#[test]
fn retries_that_name_their_blob() {
    let registry = registry();
    let image = Image::new(&SampleImage::of_layers(&[3000]));
    let reference = format!("{}/owner/app:1", registry.host());
    let earlier = Image::small();
    push(&earlier, &["image.tar", &reference]).assert_code(0);
    for route in [Route::BlobHead, Route::UploadStart] {
        registry.fail(
            Fault::new(Action::error(503, "UNAVAILABLE", "not now"))
                .on(route)
                .once(),
        );
    }
    let run = push(&image, &["--progress", "json", "image.tar", &reference]);
    run.assert_code(0);
    let blobs = digests(&image);
    let events = events(&run);
    let retries = events.iter().filter(|event| event["event"] == "retrying");
    let told: BTreeSet<&str> = retries
        .map(|event| {
            let digest = event["digest"].as_str().expect("a blob is named");
            assert!(blobs.contains(digest), "{event}");
            event["step"].as_str().expect("a step")
        })
        .collect();
    assert_eq!(told, BTreeSet::from(["check-blob", "start-upload"]));
}

/// What one repository of a run has, the next takes over.
#[test]
fn blobs_that_are_taken_over() {
    let registry = registry();
    let image = Image::small();
    let of = |name: &str| format!("{}/owner/{name}:1", registry.host());
    let (first, second) = (of("first"), of("second"));
    let run = push(
        &image,
        &["--progress", "json", "image.tar", &first, &second],
    );
    run.assert_code(0);
    let events = events(&run);
    let of_name = |name: &str| -> BTreeSet<&str> {
        let of_name = events.iter().filter(|event| event["event"] == name);
        of_name
            .filter_map(|event| event["digest"].as_str())
            .collect()
    };
    let blobs = digests(&image);
    assert_eq!(of_name("blob-finished"), blobs);
    assert_eq!(of_name("blob-mounting"), blobs);
    assert_eq!(of_name("blob-mounted"), blobs);
    assert_eq!(find(&events, "blob-mounting")["source"], "owner/first");
}

/// The same, by the other name, where things go wrong.
#[test]
fn a_failure_as_an_event() {
    let registry = registry();
    registry.deny("owner/app", test_registry::Refusal::WritePackage);
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let arguments = [
        "--progress=rawjson",
        "--registry-profile",
        "ghcr",
        "image.tar",
        &reference,
    ];
    for quiet in [false, true] {
        let mut all = arguments.to_vec();
        all.extend(quiet.then_some("-q"));
        let run = push(&image, &all);
        run.assert_code(4);
        assert_eq!(run.stdout, "");
        let events = events(&run);
        if quiet {
            assert_eq!(names(&events), BTreeSet::from(["failed"]));
        }
        let last = events.last().expect("there are events");
        assert_eq!(last["event"], "failed");
        assert_eq!(last["exitCode"], 4);
        assert_eq!(last["diagnosis"]["code"], "package-denies-repository");
        assert_eq!(last["references"][0]["status"], "failed");
    }
}

/// A program that asked for events reads events, even if it asked wrongly.
#[test]
fn mistakes_are_events() {
    let image = Image::small();
    for (arguments, variable, expected) in [
        (
            &["--progress", "json", "--jbos", "3"][..],
            "",
            "unexpected argument '--jbos' found",
        ),
        (
            &["--jbos", "3"],
            "json",
            "unexpected argument '--jbos' found",
        ),
        (
            &["check", "--progress=json", "a b"],
            "",
            "\"a b\" does not begin with a registry's host",
        ),
        (
            &["--progress", "json", "missing.tar", "ghcr.io/o/n"],
            "",
            "missing.tar: no such file or directory",
        ),
    ] {
        let output = command(image.directory.path())
            .env("GHCR_PUSH_PROGRESS", variable)
            .args(arguments)
            .output();
        let run = Run::of(output.expect("the binary starts"));
        let events = events(&run);
        assert_eq!(names(&events), BTreeSet::from(["failed"]), "{}", run.stderr);
        assert_eq!(events[0]["error"]["message"], expected);
        assert_eq!(
            Some(&events[0]["exitCode"]),
            run.code.map(Value::from).as_ref()
        );
    }
}

/// What is not progress, and has words of its own, has its row in `docs/progress.md`.
#[test]
fn events_of_the_command_line_are_documented() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/progress.md");
    let page = std::fs::read_to_string(page).expect("it is there");
    for event in ["notice", "log", "finished", "failed"] {
        assert!(page.contains(&format!("\n| `{event}` | ")), "{event}");
    }
}

/// Bars would be drawn for nobody: what is not a terminal gets lines.
#[test]
fn bars_without_a_terminal() {
    let told = |form: &str| {
        let registry = registry();
        let image = Image::small();
        let reference = format!("{}/owner/app:1", registry.host());
        let run = push(&image, &["--progress", form, "image.tar", &reference]);
        run.assert_code(0);
        run.stderr.lines().count()
    };
    assert_eq!(told("tty"), told("plain"));
    assert!(told("plain") > told("none"));
}
