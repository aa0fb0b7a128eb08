//! The documented form of `--json` (`docs/output.schema.json`) against what the binary prints.

mod validator;

use serde_json::{Value, json};
use test_registry::{Action, Fault, Options, Refusal, Route, SampleImage, TestRegistry};

use crate::archives::fixture;
use crate::doctor::run::fed;
use crate::support::{Image, Run, TOKEN, USERNAME, command, push, push_command};
use validator::Schema;

fn registry() -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, TOKEN))
}

/// An index of two platforms.
fn index() -> Image {
    let image = SampleImage::of_layers(&[2000]).platform("arm64", &[3000]);
    Image::new(&image)
}

/// The object that was printed, which is what the schema calls `name`, and nothing else.
#[track_caller]
fn held(name: &str, run: &Run) -> Value {
    let value: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    let schema = Schema::documented();
    for name in [name, ""] {
        let problems = schema.problems(name, &value);
        assert!(problems.is_empty(), "{problems:#?}\n{value:#}");
    }
    assert_eq!(value["status"], name);
    value
}

#[test]
fn a_push() {
    let registry = registry();
    for image in [Image::small(), index()] {
        let reference = format!("{}/owner/app:1", registry.host());
        for status in ["pushed", "unchanged"] {
            let run = push(
                &image,
                &["--json", "--metadata-file", "file", "image.tar", &reference],
            );
            run.assert_code(0);
            let value = held("pushed", &run);
            assert_eq!(value["references"][0]["status"], status);
            let file = std::fs::read_to_string(image.directory.path().join("file"));
            let file = serde_json::from_str(&file.expect("it is written")).expect("JSON");
            let problems = Schema::documented().problems("metadata", &file);
            assert!(problems.is_empty(), "{problems:#?}\n{file:#}");
        }
    }
}

#[test]
fn a_tag_that_shows_something_else() {
    let other = format!("sha256:{}", "0".repeat(64));
    let registry = registry();
    let lie = Action::SetHeader("docker-content-digest".to_owned(), other.clone());
    // The first two are before the push, one of them without a token; the fourth is for the manifest itself.
    let looks = Fault::new(lie).on(Route::ManifestHead).from_request(3);
    registry.fail(looks.once());
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(&image, &["--json", "image.tar", &reference]);
    let value = held("pushed", run.assert_code(0));
    let shown = json!({ "state": "moved", "digest": other });
    assert_eq!(value["references"][0]["shown"], shown);
    let told = format!(
        "warning: {reference} was published, but another push has moved the tag meanwhile, to {other}\n"
    );
    assert!(run.stderr.contains(&told), "{}", run.stderr);
}

#[test]
fn a_push_that_fails() {
    let registry = registry();
    registry.deny("owner/app", Refusal::WritePackage);
    let image = Image::small();
    let denied = format!("{}/owner/app:1", registry.host());
    let allowed = format!("{}/owner/other:1", registry.host());
    for (arguments, code) in [
        (
            &["--registry-profile", "ghcr", "image.tar", &allowed, &denied][..],
            4,
        ),
        (&["image.tar", &denied], 4),
        (&["absent.tar", &allowed], 3),
        (&["image.tar", "ghcr.io/app"], 2),
        (&["--no-such-option"], 2),
        (&["image.tar", "127.0.0.1:1/owner/app", "--retry", "1"], 5),
    ] {
        let run = push(&image, &[&["--json"], arguments].concat());
        run.assert_code(code);
        let value = held("failed", &run);
        assert_eq!(value["exitCode"], code);
        let references = value["references"].as_array().expect("a list");
        assert_eq!(references.is_empty(), matches!(code, 2 | 3), "{value:#}");
        let digest = json!(image.sample.digest);
        assert!(references.iter().all(|one| one["digest"] == digest));
    }
    // What layers become is not known before they are compressed.
    let saved = fixture("genuine/podman-docker-archive.tar");
    let value = held(
        "failed",
        push(&image, &["--json", &saved, &denied]).assert_code(4),
    );
    assert_eq!(value["references"][0]["digest"], Value::Null);
}

#[test]
fn a_dry_run() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let arguments = ["--json", "--dry-run", "image.tar", &reference];
    let planned = held("planned", push(&image, &arguments).assert_code(0));
    assert_eq!(planned["references"][0]["status"], "planned");
    push(&image, &["image.tar", &reference]).assert_code(0);
    let planned = held("planned", push(&image, &arguments).assert_code(0));
    assert_eq!(planned["references"][0]["status"], "unchanged");
    let other = Image::new(&SampleImage::of_layers(&[500]));
    let refused = push(&other, &[&["--no-clobber"], &arguments[..]].concat());
    let refused = held("failed", refused.assert_code(6));
    let (reference, planned) = (&refused["references"][0], &refused["plan"]["references"][0]);
    assert_eq!(planned["status"], "refused");
    assert_eq!(planned["previousDigest"], image.sample.digest);
    assert_eq!(reference["previousDigest"], image.sample.digest);
    assert_eq!(reference["digest"], other.sample.digest);
}

#[test]
fn a_check() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let checked = |arguments: &[&str]| {
        let options = [
            "check",
            "--json",
            "--plain-http",
            "--registry-profile",
            "ghcr",
        ];
        let output = command(image.directory.path())
            .env("GHCR_PUSH_TOKEN", TOKEN)
            .env("GHCR_PUSH_USERNAME", USERNAME)
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_REPOSITORY", "elsewhere/app")
            .args(options)
            .args(arguments)
            .output();
        Run::of(output.expect("the binary starts"))
    };
    let value = held("allowed", checked(&[&reference]).assert_code(0));
    assert_eq!(value["plan"], Value::Null);
    assert_eq!(value["findings"][0]["code"], "namespace-mismatch");
    let value = held(
        "allowed",
        checked(&[&reference, "image.tar"]).assert_code(0),
    );
    assert_eq!(value["plan"]["status"], "planned");
    let other = Image::new(&SampleImage::of_layers(&[500]));
    let clobbering = other.path().display().to_string();
    push(&image, &["image.tar", &reference]).assert_code(0);
    let refused = checked(&[&reference, &clobbering, "--no-clobber"]);
    let value = held("failed", refused.assert_code(6));
    assert_eq!(value["plan"]["references"][0]["status"], "refused");
    assert_eq!(value["references"][0]["digest"], other.sample.digest);
    assert_eq!(value["findings"][0]["code"], "namespace-mismatch");
    registry.deny("owner/app", Refusal::WritePackage);
    let other = format!("{}/owner/other:1", registry.host());
    let value = held("failed", checked(&[&reference, &other]).assert_code(4));
    assert_eq!(value["references"][1]["status"], "allowed");
    assert_eq!(value["findings"][0]["code"], "namespace-mismatch");
    let source = "GHCR_PUSH_TOKEN";
    let nothing = command(image.directory.path())
        .args([
            "check",
            "--json",
            "--credential-source",
            source,
            "ghcr.io/owner/app",
        ])
        .output();
    let nothing = Run::of(nothing.expect("the binary starts"));
    let value = held("failed", nothing.assert_code(4));
    assert_eq!(value["references"][0]["credential"], Value::Null);
    assert_eq!(value["diagnosis"]["code"], "credential-missing");
}

#[test]
fn an_explanation() {
    let image = Image::small();
    let explained = |log: &str| {
        let mut command = command(image.directory.path());
        fed(command.args(["explain", "--json"]), log)
    };
    for log in [
        "#9 ERROR: failed to push ghcr.io/owner/app:1: denied: permission_denied: write_package\n",
        "Error: writing blob: initiating layer upload to /v2/owner/app/blobs/uploads/ in ghcr.io: unauthorized: \
         authentication required\n",
        "#9 ERROR: failed to push ghcr.io/owner/app:1: unexpected status from HEAD request to \
         https://ghcr.io/v2/owner/app/blobs/sha256:00: 403 Forbidden\n",
    ] {
        held("explained", explained(log).assert_code(0));
    }
    held("failed", explained("all is well\n").assert_code(1));
}

#[test]
fn an_inspection() {
    let image = index();
    let directory = image.directory.path();
    for (name, architecture, seed) in [
        ("amd64.tar", "amd64", 0),
        ("arm64.tar", "arm64", 0),
        ("other.tar", "amd64", 1),
    ] {
        let sample = SampleImage::default().platform(architecture, &[1000]);
        let written = sample.seed(seed).write(&directory.join(name));
        written.expect("writable");
    }
    let saved = fixture("genuine/podman-docker-archive.tar");
    for (archives, together) in [
        (&["image.tar"][..], None),
        (&[saved.as_str()], None),
        (&["amd64.tar", "arm64.tar"], Some("digest")),
        (&["amd64.tar", "other.tar"], Some("error")),
    ] {
        let arguments = [&["inspect", "--json"], archives].concat();
        let output = command(directory).args(arguments).output();
        let run = Run::of(output.expect("the binary starts"));
        let value = held("inspected", run.assert_code(0));
        if let Some(key) = together {
            assert!(value["together"][key].is_string(), "{value:#}");
        }
    }
}

/// The schema means something: an output that lacks a key, or has another one, or says something else, is refused.
#[test]
fn what_is_different_is_refused() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let output = push_command(&image, &["--json", "image.tar", &reference]).output();
    let pushed = held("pushed", &Run::of(output.expect("the binary starts")));
    let schema = Schema::documented();
    let keys: Vec<&String> = pushed.as_object().expect("an object").keys().collect();
    assert_eq!(keys.len(), 12);
    for key in keys {
        let mut lacking = pushed.clone();
        lacking.as_object_mut().expect("an object").remove(key);
        assert!(!schema.problems("", &lacking).is_empty(), "{key}");
        let mut wrong = pushed.clone();
        wrong[key] = json!({ "another": "thing" });
        assert!(!schema.problems("", &wrong).is_empty(), "{key}");
    }
    let mut more = pushed.clone();
    more["references"][0]["another"] = json!(1);
    assert_eq!(
        schema.problems("pushed", &more),
        ["$.references[0].another is not described"]
    );
    let mut other = pushed;
    other["references"][0]["status"] = json!("lost");
    let problems = schema.problems("pushed", &other);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].starts_with("$.references[0].status does not hold enum"));
}
