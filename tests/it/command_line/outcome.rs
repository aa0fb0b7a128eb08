//! What is told, and where, of a push that did not do everything.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use test_registry::{
    Action, Authentication, Fault, Journal, Options, Refusal, Route, TestRegistry,
};

use super::registry;
use crate::support::{Image, Run, TOKEN, USERNAME, command, push};

/// What was published when the signal came is told, on both outputs.
#[cfg(unix)]
#[test]
fn an_interrupted_push_tells_what_is_published() {
    let registry = registry();
    registry.fail(
        Fault::new(Action::Stall)
            .on(Route::UploadMount)
            .repository("owner/second"),
    );
    let image = Image::small();
    let first = format!("{}/owner/first:1", registry.host());
    let second = format!("{}/owner/second:1", registry.host());
    let push = command(image.directory.path())
        .env("GHCR_PUSH_TOKEN", TOKEN)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .args(["--plain-http", "--json", "--digestfile", "digest"])
        .args(["image.tar", &first, &second])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let is_stalled = |journal: &Journal| {
        let mut starts = journal.of(Route::UploadMount);
        starts.any(|start| start.repository == "owner/second")
    };
    for _ in 0..1000 {
        if is_stalled(&registry.journal()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let signal = format!("kill -INT {}", push.id());
    let sent = Command::new("sh").args(["-c", &signal]).status();
    assert!(sent.expect("a shell starts").success());
    let run = Run::of(push.wait_with_output().expect("the binary ends"));
    run.assert_code(130);
    assert!(
        run.stderr
            .ends_with(&format!("pushed {first}\nnot published {second}\n")),
        "{}",
        run.stderr
    );
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["error"]["kind"], "interrupted");
    assert_eq!(
        json["error"]["chain"][0],
        "the push was interrupted; 3 of 6 blobs are stored"
    );
    assert_eq!(json["references"][0]["status"], "pushed");
    assert_eq!(
        json["references"][0]["digest"],
        image.sample.digest.as_str()
    );
    assert_eq!(json["references"][1]["status"], "failed");
    assert!(!image.directory.path().join("digest").exists());
}

#[test]
fn a_digest_file_that_cannot_be_written_is_told_before_the_push() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(
        &image,
        &["--digestfile", "absent/digest", "image.tar", &reference],
    );
    run.assert_code(2);
    assert!(
        run.stderr
            .contains("--digestfile: absent/digest cannot be written"),
        "{}",
        run.stderr
    );
    assert_eq!(registry.journal().exchanges.len(), 0);
}

#[test]
fn a_push_that_fails_leaves_the_digest_file_alone() {
    let registry = registry();
    registry.deny("owner/app", Refusal::WritePackage);
    let image = Image::small();
    let path = image.directory.path().join("digest");
    let reference = format!("{}/owner/app:1", registry.host());
    let arguments = ["--digestfile", "digest", "image.tar", &reference];
    push(&image, &arguments).assert_code(4);
    assert!(!path.exists());
    std::fs::write(&path, "of another push").expect("writable");
    push(&image, &arguments).assert_code(4);
    let text = std::fs::read_to_string(&path).expect("readable");
    assert_eq!(text, "of another push");
}

/// `/dev/full` can be opened, and takes nothing.
#[cfg(target_os = "linux")]
#[test]
fn the_result_is_printed_although_the_digest_file_is_full() {
    let registry = registry();
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(
        &image,
        &["--digestfile", "/dev/full", "image.tar", &reference],
    );
    run.assert_code(1);
    assert_eq!(run.stdout, format!("{reference}@{}\n", image.sample.digest));
    assert!(
        run.stderr
            .contains("the image is published, but /dev/full cannot be written"),
        "{}",
        run.stderr
    );
    let run = push(
        &image,
        &[
            "--json",
            "--digestfile",
            "/dev/full",
            "image.tar",
            &reference,
        ],
    );
    run.assert_code(1);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["references"][0]["status"], "unchanged");
}

/// A request that got no answer, or one that cannot be followed, is named as a refused one is.
#[test]
fn json_names_the_request_that_failed() {
    let image = Image::small();
    let elsewhere = Action::Answer {
        status: 202,
        headers: vec![("location".to_owned(), "http://192.0.2.1/upload".to_owned())],
        body: String::new(),
    };
    for (fault, code, kind, step, method, path) in [
        (
            Fault::new(Action::Close).on(Route::ManifestHead),
            5,
            "unavailable",
            "check-manifest",
            "HEAD",
            "manifests/1",
        ),
        (
            Fault::new(elsewhere).on(Route::UploadStart),
            6,
            "refused",
            "start-upload",
            "POST",
            "blobs/uploads/",
        ),
    ] {
        let registry = registry();
        registry.fail(fault);
        let reference = format!("{}/owner/app:1", registry.host());
        let run = push(&image, &["--json", "--retry", "1", "image.tar", &reference]);
        run.assert_code(code);
        let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
        let error = &json["error"];
        assert_eq!(error["kind"], kind);
        assert_eq!(error["step"], step);
        assert_eq!(error["method"], method);
        let url = format!("{}/v2/owner/app/{path}", registry.url());
        assert_eq!(error["url"], url);
        assert_eq!(error["status"], Value::Null);
    }
}

/// Whatever asks for the tag after the push, and however it is authorised: what is sent is counted and told.
#[test]
fn every_request_is_counted_and_told() {
    let (username, password) = (USERNAME.to_owned(), TOKEN.to_owned());
    let bearer = Authentication::Bearer {
        username: username.clone(),
        password: password.clone(),
        lifetime: None,
    };
    let basic = Authentication::Basic { username, password };
    // With the number of looks at the tag before the push: the first without a token is in vain.
    for (authentication, before) in [(Authentication::None, 1), (basic, 2), (bearer, 2)] {
        // The tag is shown at once, or after two looks at nothing.
        for late in [0, 2] {
            let mut options = Options::default();
            options.authentication = authentication.clone();
            let registry = TestRegistry::start(options);
            let absent = Action::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
            for (route, skipped) in [(Route::ManifestHead, before), (Route::ManifestGet, 0)] {
                let fault = Fault::new(absent.clone()).on(route);
                registry.fail(fault.from_request(skipped + 1).times(late));
            }
            let image = Image::small();
            let reference = format!("{}/owner/app:1", registry.host());
            let run = push(&image, &["-v", "--json", "image.tar", &reference]);
            run.assert_code(0);
            let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
            let sent = registry.journal().exchanges.len();
            assert_eq!(json["requests"], sent, "{authentication:?}, late {late}");
            let lines = run.stderr.lines();
            let told = lines.filter(|line| line.contains("step=") && line.contains(" method="));
            assert_eq!(told.count(), sent, "{}", run.stderr);
            // The registry that wants the credential itself is asked by the push's own requests.
            let told = run.stderr.matches("oci_push::verify").count();
            let is_basic = matches!(authentication, Authentication::Basic { .. });
            assert_eq!(told == 0, is_basic, "{}", run.stderr);
        }
    }
}

/// The parts of the sum are summed over the repositories, and so is the sum; for an archive whose layers are
/// compressed on the way too.
#[test]
fn blobs_are_counted_in_every_repository() {
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/archives/genuine/docker20-save-single.tar"
    );
    let image = Image::small();
    for archive in ["image.tar", fixture] {
        let registry = registry();
        let reference = |name: &str| format!("{}/owner/{name}:1", registry.host());
        // The one repository has everything already, the others nothing: they take it over.
        push(&image, &[archive, &reference("a")]).assert_code(0);
        let blobs = registry.journal().count(Route::UploadCommit);
        let run = push(
            &image,
            &[
                "--json",
                archive,
                &reference("a"),
                &reference("b"),
                &reference("c"),
            ],
        );
        run.assert_code(0);
        let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
        let counts = &json["blobs"];
        assert_eq!(counts["total"], 3 * blobs, "{counts}");
        assert_eq!(counts["uploaded"], 0, "{counts}");
        assert_eq!(counts["mounted"], 2 * blobs, "{counts}");
        assert_eq!(counts["existing"], blobs, "{counts}");
        assert_eq!(counts["bytesUploaded"], 0, "{counts}");
        let summary = format!(
            "0 of {} blobs uploaded (0 B), {blobs} existed, {} taken over",
            3 * blobs,
            2 * blobs
        );
        assert!(run.stderr.contains(&summary), "{}", run.stderr);
    }
}

/// Over HTTP the proxy answers instead of the registry, for HTTPS it refuses the tunnel.
#[test]
fn a_proxy_that_wants_a_credential() {
    let image = Image::small();
    let proxy = registry();
    proxy.fail(Fault::new(Action::Answer {
        status: 407,
        headers: vec![("proxy-authenticate".to_owned(), "Basic".to_owned())],
        body: String::new(),
    }));
    for (variable, options) in [
        ("HTTP_PROXY", &["--plain-http"][..]),
        ("HTTPS_PROXY", &["--retry", "1"]),
    ] {
        let output = command(image.directory.path())
            .env(variable, proxy.url())
            .args(options)
            .args(["image.tar", "registry.invalid:5000/owner/app:1"])
            .output();
        let run = Run::of(output.expect("the binary starts"));
        run.assert_code(5);
        assert!(
            run.stderr
                .contains("hint: it is a proxy on the way that asks for a user name"),
            "{}",
            run.stderr
        );
    }
}
