use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::*;

/// What a file says of `repository` at `host`, in one line.
fn said(text: &str, host: &str, repository: &str) -> String {
    let entry = match entry(text.as_bytes(), host, repository) {
        Ok(entry) => entry,
        Err(problem) => return format!("problem: {problem}"),
    };
    let helper = entry.helper.map(|helper| format!("helper {helper}"));
    let login = match entry.login {
        Ok(None) => None,
        Ok(Some(login)) => Some(format!(
            "{}:{} under {}",
            login.username,
            login.password.expose_secret(),
            login.key
        )),
        Err(problem) => Some(format!("problem: {problem}")),
    };
    let parts: Vec<String> = helper.into_iter().chain(login).collect();
    if parts.is_empty() {
        return "absent".to_owned();
    }
    parts.join(", ")
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(said(text, "ghcr.io", "owner/app"), expected, "{text}");
}

/// A file with one entry.
fn with(key: &str, entry: &str) -> String {
    format!(r#"{{"auths":{{{key:?}:{entry}}}}}"#)
}

#[test]
fn entries() {
    for (entry, expected) in [
        // "u:p", then with NUL bytes behind, without password, and with a colon in it.
        (r#"{"auth":"dTpw"}"#, "u:p under ghcr.io"),
        (r#"{"auth":"dTpwAAA="}"#, "u:p under ghcr.io"),
        (r#"{"auth":"dTo="}"#, "absent"),
        (r#"{"auth":"dTpwOnE="}"#, "u:p:q under ghcr.io"),
        // Without padding, with too many bits at the end, and on two lines.
        (r#"{"auth":"dTpwAAA"}"#, "u:p under ghcr.io"),
        (r#"{"auth":"dTpwOnF="}"#, "u:p:q under ghcr.io"),
        (r#"{"auth":"dT\n pw\n"}"#, "u:p under ghcr.io"),
        // ":p" has no user name.
        (r#"{"auth":"OnA="}"#, ":p under ghcr.io"),
        (r#"{"username":"u","password":"p"}"#, "u:p under ghcr.io"),
        (
            r#"{"auth":null,"username":"u","password":"p"}"#,
            "u:p under ghcr.io",
        ),
        (r#"{"username":"u"}"#, "absent"),
        (
            r#"{"auth":"dTo=","identitytoken":"t"}"#,
            "<token>:t under ghcr.io",
        ),
        (r#"{"auth":"dTpw","identitytoken":""}"#, "u:p under ghcr.io"),
        (r#"{"email":"u@example"}"#, "absent"),
        (
            r#"{"registrytoken":"t"}"#,
            "problem: the host's entry has a \"registrytoken\", which is not used",
        ),
        ("{}", "absent"),
        ("null", "absent"),
        (
            r#"{"auth":"?"}"#,
            "problem: the host's \"auth\" is not base64 of \"user:password\"",
        ),
        // "u", which has no colon, and bytes that are no text.
        (
            r#"{"auth":"dQ=="}"#,
            "problem: the host's \"auth\" is not base64 of \"user:password\"",
        ),
        (
            r#"{"auth":"//86"}"#,
            "problem: the host's \"auth\" is not base64 of \"user:password\"",
        ),
        (r#"{"auth":5}"#, "problem: the host's \"auth\" is no string"),
        ("[]", "problem: the host's entry is no JSON object"),
    ] {
        check(&with("ghcr.io", entry), expected);
    }
}

#[test]
fn keys() {
    use Rank::{Exact, Legacy};
    for (key, host, expected) in [
        ("ghcr.io", "ghcr.io", Some(Exact)),
        ("localhost:5000", "localhost:5000", Some(Exact)),
        (
            "https://index.docker.io/v1/",
            "index.docker.io",
            Some(Exact),
        ),
        ("docker.io", "index.docker.io", Some(Legacy)),
        ("GHCR.io", "ghcr.io", Some(Legacy)),
        ("https://ghcr.io", "ghcr.io", Some(Legacy)),
        ("https://ghcr.io/v1/", "ghcr.io", Some(Legacy)),
        ("https://ghcr.io/v2/", "ghcr.io", Some(Legacy)),
        ("http://ghcr.io/v2", "ghcr.io", Some(Legacy)),
        ("http://localhost:5000/", "localhost:5000", Some(Legacy)),
        ("ghcr.io/", "ghcr.io", Some(Legacy)),
        ("ghcr.io/owner", "ghcr.io", None),
        ("https://ghcr.io/owner/v1/", "ghcr.io", None),
        ("https://ghcr.io/v3/", "ghcr.io", None),
        ("ghcr.io:443", "ghcr.io", None),
        ("localhost", "localhost:5000", None),
        ("ghcr.io.example", "ghcr.io", None),
        ("https://user@ghcr.io/", "ghcr.io", None),
        ("docker.io", "ghcr.io", None),
    ] {
        assert_eq!(rank(key, host), expected, "{key}");
    }
}

/// The most specific key that holds something; a host's own name before its old URL.
#[test]
fn namespaces_of_podman() {
    let file = r#"{"auths":{
        "https://registry.example/v1/": {"auth": "dTpvbGQ="},
        "registry.example": {"auth": "dTpob3N0"},
        "registry.example/owner": {"auth": "dTpvd25lcg=="},
        "registry.example/owner/app": {"auth": "dTphcHA="},
        "registry.example/owner/empty": {},
        "registry.example/bad": {"auth": 1},
        "docker.io/library": {"auth": "dTpsaWI="}
    }}"#;
    for (host, repository, expected) in [
        (
            "registry.example",
            "owner/app",
            "u:app under registry.example/owner/app",
        ),
        (
            "registry.example",
            "owner/app/cache",
            "u:app under registry.example/owner/app",
        ),
        (
            "registry.example",
            "owner/apple",
            "u:owner under registry.example/owner",
        ),
        (
            "registry.example",
            "owner/empty",
            "u:owner under registry.example/owner",
        ),
        (
            "registry.example",
            "other/app",
            "u:host under registry.example",
        ),
        (
            "registry.example",
            "bad/app",
            "problem: the host's \"auth\" is no string",
        ),
        (
            "index.docker.io",
            "library/app",
            "u:lib under docker.io/library",
        ),
        ("index.docker.io", "other/app", "absent"),
        ("ghcr.io", "owner/app", "absent"),
    ] {
        assert_eq!(
            said(file, host, repository),
            expected,
            "{host}/{repository}"
        );
    }
}

#[test]
fn helpers() {
    for (file, expected) in [
        (
            r#"{"auths":{"ghcr.io":{}},"credsStore":"desktop"}"#,
            "helper desktop",
        ),
        (r#"{"credHelpers":{"ghcr.io":"gh"}}"#, "helper gh"),
        (
            r#"{"credHelpers":{"ghcr.io":"gh"},"credsStore":"desktop"}"#,
            "helper gh",
        ),
        // Docker takes an empty name for none, too.
        (
            r#"{"credHelpers":{"ghcr.io":""},"credsStore":"desktop"}"#,
            "helper desktop",
        ),
        (r#"{"credHelpers":{"other.io":"gh"}}"#, "absent"),
        (
            r#"{"auths":{"ghcr.io":{"auth":"dTpw"}},"credsStore":"desktop"}"#,
            "helper desktop, u:p under ghcr.io",
        ),
        (
            r#"{"credHelpers":{"ghcr.io":1}}"#,
            "problem: the host's credential helper is no string",
        ),
        (
            r#"{"credsStore":[]}"#,
            "problem: \"credsStore\" is no string",
        ),
    ] {
        check(file, expected);
    }
}

/// What docker itself and other tools have been seen to write, and what is wrong about others' entries only.
#[test]
fn oddities() {
    for (file, expected) in [
        (
            r#"{"auths":null,"credHelpers":null,"credsStore":null}"#,
            "absent",
        ),
        (
            r#"{"auths":{"other.io":{"auth":5},"a":[],"ghcr.io":{"auth":"dTpw"}}}"#,
            "u:p under ghcr.io",
        ),
        (
            r#"{"credHelpers":{"other.io":7},"auths":{"ghcr.io":{"auth":"dTpw"}}}"#,
            "u:p under ghcr.io",
        ),
        (
            "\u{feff}{\"auths\":{\"ghcr.io\":{\"auth\":\"dTpw\"}}}",
            "u:p under ghcr.io",
        ),
        (
            r#"{"auths":{"ghcr.io.evil.example":{"auth":"dTpw"}}}"#,
            "absent",
        ),
        (r#"{"auths":[]}"#, "problem: \"auths\" is no JSON object"),
        ("[]", "problem: it is no JSON object"),
        ("{", "problem: it is no valid JSON (line 1)"),
        ("", "problem: it is no valid JSON (line 1)"),
    ] {
        check(file, expected);
    }
}

proptest! {
    /// Whatever the bytes are, there is an answer.
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = entry(&bytes, "ghcr.io", "owner/app");
    }

    /// Whatever stands in the place of an entry or of its fields, there is an answer, which quotes nothing of it.
    #[test]
    fn any_entry_is_answered(secret in "[^\"\\\\]{12,40}", field in "auth|username|password|identitytoken") {
        for entry in [
            format!(r"{{{field:?}:{secret:?}}}"),
            format!(r"{{{field:?}:[{secret:?}]}}"),
            format!("{secret:?}"),
        ] {
            let text = with("ghcr.io", &entry);
            if let Err(problem) = super::entry(text.as_bytes(), "ghcr.io", "owner/app")
                .and_then(|entry| entry.login)
            {
                prop_assert!(!problem.contains(&secret), "{problem}");
            }
        }
    }

    /// What a login wrote is what is read, in all of base64's spellings.
    #[test]
    fn a_login_is_read_as_it_was_written(
        username in "[^:]{0,20}",
        password in "[^\0]{1,60}",
        padded in any::<bool>(),
        line in 1_usize..80,
    ) {
        let mut encoded = STANDARD.encode(format!("{username}:{password}"));
        if !padded {
            encoded = encoded.trim_end_matches('=').to_owned();
        }
        let lines: Vec<&str> = encoded
            .as_bytes()
            .chunks(line)
            .filter_map(|chunk| std::str::from_utf8(chunk).ok())
            .collect();
        let entry = serde_json::json!({ "auth": lines.join("\n") });
        let text = with("ghcr.io", &entry.to_string());
        let read = super::entry(text.as_bytes(), "ghcr.io", "owner/app").expect("JSON");
        let login = read.login.expect("an entry").expect("a login");
        prop_assert_eq!(login.username, username);
        prop_assert_eq!(login.password.expose_secret(), &password);
    }
}
