//! `ghcr-push check` tells all that it finds, and what nobody was asked for.

use serde_json::{Value, json};
use test_registry::{Options, Refusal, TestRegistry};

use super::check::{registry, run};
use crate::support::{TOKEN, command};

/// One refusal does not hide another, nor what is allowed.
#[test]
fn several_references() {
    let registry = registry(TOKEN);
    for name in ["owner/one", "owner/two"] {
        registry.deny(name, Refusal::WritePackage);
    }
    let directory = tempfile::tempdir().expect("a directory");
    let host = registry.host();
    let [one, app, two] = ["one", "app", "two"].map(|name| format!("{host}/owner/{name}:1"));
    let arguments = ["check", one.as_str(), app.as_str(), two.as_str()];
    let text = run(command(directory.path()), TOKEN, &arguments);
    text.assert_code(4);
    for refused in [&one, &two] {
        let told = format!("error: a push to {refused} would fail\n");
        assert!(text.stderr.contains(&told), "{}", text.stderr);
    }
    assert_eq!(text.stdout, format!("{app} may be pushed\n"));
    let mut asked = command(directory.path());
    asked.env("DOCKER_AUTH_CONFIG", " ");
    let run = run(asked, TOKEN, &["check", "--json", &one, &app, &two]);
    run.assert_code(4);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["status"], "failed");
    assert_eq!(json["findings"][0]["code"], "credential-empty");
    for (index, (reference, status)) in [(&one, "failed"), (&app, "allowed"), (&two, "failed")]
        .into_iter()
        .enumerate()
    {
        let told = &json["references"][index];
        assert_eq!(told["reference"], reference.as_str());
        assert_eq!(told["status"], status);
        assert_eq!(told["credential"]["source"], "GHCR_PUSH_TOKEN");
        assert_eq!(told["diagnosis"].is_null(), status == "allowed");
    }
}

/// What nobody was asked for has its diagnosis as well.
#[test]
fn diagnoses_without_an_answer() {
    let directory = tempfile::tempdir().expect("a directory");
    let free = TestRegistry::start(Options::default()).host();
    let away = format!("{free}/owner/app");
    for (reference, code, diagnosis) in [
        ("ghcr.io/app", 2, "reference-without-owner"),
        ("ghcr.io//app", 2, "reference-without-owner"),
        ("ghcr.io/:1", 2, "reference-without-owner"),
        (away.as_str(), 5, "registry-unreachable"),
    ] {
        let mut command = command(directory.path());
        command.env("HTTPS_PROXY", "http://user:hidden@127.0.0.1:1");
        let run = run(
            command,
            TOKEN,
            &["check", "--json", "--retry", "1", reference],
        );
        run.assert_code(code);
        let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
        assert_eq!(json["diagnosis"]["code"], diagnosis, "{json}");
        assert_eq!(json["findings"], json!([]));
        assert!(!format!("{}{}", run.stdout, run.stderr).contains("hidden"));
    }
}
