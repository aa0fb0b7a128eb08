//! Refusals that a permission cannot mend: limits, and tokens that the registry's token service does not exchange.

use serde_json::Value;
use test_registry::{Action, Fault, Route};

use super::check::{registry, run};
use crate::support::{Run, TOKEN, command};

/// A 403 that asks to wait is a limit to exit code, headline and diagnosis alike.
#[test]
fn a_limit_dressed_as_a_refusal() {
    for body in ["denied", "permission_denied: write_package"] {
        let registry = registry(TOKEN);
        let refusal = Action::Answer {
            status: 403,
            headers: vec![("retry-after".to_owned(), "60".to_owned())],
            body: format!(r#"{{"errors":[{{"code":"DENIED","message":"{body}"}}]}}"#),
        };
        registry.fail(Fault::new(refusal).on(Route::UploadStart));
        let directory = tempfile::tempdir().expect("a directory");
        let reference = format!("{}/owner/app:1", registry.host());
        let run = run(
            command(directory.path()),
            TOKEN,
            &["check", "--json", "--retry-max-time", "1s", &reference],
        );
        run.assert_code(5);
        let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
        assert_eq!(json["error"]["kind"], "unavailable");
        assert_eq!(json["diagnosis"]["code"], "secondary-rate-limit");
        assert_eq!(
            json["diagnosis"]["causes"].as_array().map(Vec::len),
            Some(1)
        );
        assert!(
            run.stderr.contains("would not be taken now"),
            "{}",
            run.stderr
        );
    }
}

/// ghcr.io answers 405 to an identity token. What is to be done is said, and of what kind the credential was.
#[test]
fn an_identity_token() {
    let registry = registry(TOKEN);
    let directory = tempfile::tempdir().expect("a directory");
    let host = registry.host();
    let config = format!(r#"{{"auths":{{"{host}":{{"identitytoken":"abc"}}}}}}"#);
    std::fs::write(directory.path().join("config.json"), config).expect("writable");
    let output = command(directory.path())
        .env("DOCKER_CONFIG", directory.path())
        .args([
            "check",
            "--json",
            "--plain-http",
            "--registry-profile",
            "ghcr",
        ])
        .arg(format!("{host}/owner/app:1"))
        .output();
    let run = Run::of(output.expect("the binary starts"));
    run.assert_code(4);
    let json: Value = serde_json::from_str(&run.stdout).expect("one JSON object");
    assert_eq!(json["error"]["status"], 405);
    assert_eq!(json["diagnosis"]["code"], "credential-rejected");
    let cause = &json["diagnosis"]["causes"][0];
    let remedy = cause["remedy"].as_str().expect("a text");
    assert!(
        remedy.contains(&format!("docker logout {host}")),
        "{remedy}"
    );
    assert!(
        cause["evidence"].to_string().contains("(identity token)"),
        "{cause}"
    );
}
