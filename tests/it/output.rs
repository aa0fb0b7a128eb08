//! What comes out, and where.

use expect_test::expect;
use serde_json::Value;
use test_registry::{Action, Fault, Options, Route, TestRegistry};

use crate::support::{Image, TOKEN, USERNAME, check, push};

fn registry() -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, TOKEN))
}

#[test]
fn standard_output_holds_the_digest_line_only() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(&image, &["image.tar", &reference, "--digestfile", "digest"]);
    run.assert_code(0);
    assert_eq!(run.stdout, format!("{reference}@{}\n", image.sample.digest));
    let file = std::fs::read_to_string(image.directory.path().join("digest"));
    assert_eq!(file.expect("the file is written"), image.sample.digest);
    assert!(run.stderr.contains("credential for"), "{}", run.stderr);
    assert!(
        run.stderr.contains(&format!("pushed {reference}")),
        "{}",
        run.stderr
    );
    assert!(
        !run.stderr.contains('\u{1b}'),
        "no terminal, no escapes: {}",
        run.stderr
    );
}

#[test]
fn quiet_is_quiet() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(&image, &["-q", "image.tar", &reference]);
    run.assert_code(0);
    assert_eq!(run.stderr, "");
    assert_eq!(run.stdout.lines().count(), 1);
}

#[test]
fn json_of_a_success() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(&image, &["--json", "image.tar", &reference]);
    run.assert_code(0);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["schemaVersion"], 1);
    assert_eq!(json["status"], "pushed");
    assert_eq!(json["digest"], image.sample.digest.as_str());
    assert_eq!(json["references"][0]["status"], "pushed");
    assert_eq!(json["references"][0]["previousDigest"], Value::Null);
    assert_eq!(json["platforms"], serde_json::json!(["linux/amd64"]));
    assert_eq!(json["blobs"]["uploaded"], image.sample.blobs.len());
    assert_eq!(json["blobs"]["bytesUploaded"], image.sample.blob_bytes());
}

#[test]
fn json_of_a_failure() {
    let registry = registry();
    registry.deny("owner/app", test_registry::Refusal::WritePackage);
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(
        &image,
        &[
            "--json",
            "--registry-profile",
            "ghcr",
            "image.tar",
            &reference,
        ],
    );
    run.assert_code(4);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["status"], "failed");
    assert_eq!(json["exitCode"], 4);
    assert_eq!(json["error"]["step"], "start-upload");
    assert_eq!(json["error"]["status"], 403);
    assert_eq!(json["error"]["code"], "DENIED");
    assert_eq!(json["error"]["message"], "permission_denied: write_package");
    assert_eq!(json["diagnosis"]["code"], "package-denies-repository");
    assert_eq!(json["references"][0]["status"], "failed");
}

#[test]
fn the_secret_is_nowhere_even_when_everything_is_told() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(&image, &["-vv", "image.tar", &reference]);
    run.assert_code(0);
    assert!(run.stderr.contains("step=start-upload"), "{}", run.stderr);
    // base64 of "octocat:ghs_16C7..." begins with that of "octocat:ghs_".
    for secret in [TOKEN, "b2N0b2NhdDpnaHNf", "djE6aXNzdWVkLXRva2Vu"] {
        assert!(!run.stderr.contains(secret), "{secret} in {}", run.stderr);
    }
}

#[test]
fn help_names_every_option_and_the_exit_codes() {
    let image = Image::small();
    let run = push(&image, &["--help"]);
    run.assert_code(0);
    for part in [
        "--upload-mode",
        "--chunk-size",
        "--password-stdin",
        "--digestfile",
        "Exit codes",
    ] {
        assert!(run.stdout.contains(part), "{part}");
    }
}

/// The image is there, and nobody can see it: the message does not call the push a failure.
#[test]
fn the_registry_is_gone_after_the_push() {
    let registry = TestRegistry::start(Options::default());
    for (route, first) in [(Route::ManifestHead, 2), (Route::ManifestGet, 1)] {
        let down = Action::error(503, "UNAVAILABLE", "down for maintenance");
        registry.fail(Fault::new(down).on(route).from_request(first));
    }
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let arguments = ["-q", "--retry-max-time", "1s", "image.tar", &reference];
    let run = push(&image, &arguments);
    check(
        &run,
        &registry.host(),
        5,
        &expect![[r"
            error: HOST/owner/app:1 is published, but could not be verified
              caused by: the registry confirmed all of HOST/owner/app:1 (sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567), and could not be asked afterwards
              caused by: HOST answered 503 Service Unavailable to the request to tell what the tag points to after the push
        "]],
    );
    assert!(registry.manifest("owner/app", "1").is_some());
}

/// One is not many.
#[test]
fn a_single_request_is_one() {
    let registry = TestRegistry::start(Options::default());
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let first = push(&image, &["image.tar", &reference]);
    assert!(first.stderr.contains(" requests in "), "{}", first.stderr);
    let second = push(&image, &["image.tar", &reference]);
    assert!(
        second.stderr.contains("; 1 request in "),
        "{}",
        second.stderr
    );
}

/// What failed is told of the reference at which it did, not of the first of those that were not tried for it.
#[test]
fn the_reference_that_failed() {
    let broken = |route, first| {
        let broken = Action::answer(500, &[], "broken");
        Fault::new(broken).on(route).from_request(first)
    };
    for (fault, option, told) in [
        // The second manifest that is stored is that of the second tag.
        (
            broken(Route::ManifestPut, 2),
            "--verify=manifest",
            "error: failed to push HOST/owner/app:2\n",
        ),
        // Three blobs are asked for before the push.
        (
            broken(Route::BlobHead, 4),
            "--verify=deep",
            "error: HOST/owner/app:1 is published, but could not be verified\n",
        ),
    ] {
        let registry = TestRegistry::start(Options::default());
        registry.fail(fault);
        let [first, other, second] = ["app:1", "other:1", "app:2"]
            .map(|reference| format!("{}/owner/{reference}", registry.host()));
        let arguments = ["-q", "--retry", "2", option];
        let operands = ["image.tar", &first, &other, &second];
        let run = push(&Image::small(), &[&arguments[..], &operands].concat());
        run.assert_code(5);
        let stderr = run.stderr.replace(&registry.host(), "HOST");
        assert!(stderr.starts_with(told), "{stderr}");
    }
}
