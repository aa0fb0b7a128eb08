//! Credential helpers and the gh command: real programs, written by the test.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use expect_test::{Expect, expect};

use super::{Desk, logins, place};
use crate::args::credentials::CredentialSource;

impl Desk {
    /// Puts a shell script on the search path. Another process writes it: a file that this one has open for
    /// writing while another test starts a program cannot be executed.
    fn program(&mut self, name: &str, script: &str) -> &mut Self {
        let directory = self.path("bin");
        std::fs::create_dir_all(&directory).expect("a directory");
        let mut writer = Command::new("/bin/sh")
            .args(["-c", "cat > \"$0\" && chmod 700 \"$0\""])
            .arg(directory.join(name))
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        let text = format!("#!/bin/sh\n{script}\n");
        let mut pipe = writer.stdin.take().expect("a pipe");
        pipe.write_all(text.as_bytes()).expect("it reads");
        drop(pipe);
        assert!(writer.wait().expect("it ends").success());
        if !self.variables.iter().any(|(name, _)| name == "PATH") {
            let path = format!("{}:/usr/bin:/bin", directory.display());
            self.set("PATH", &path);
        }
        self
    }

    fn with_store(script: &str) -> Self {
        let mut desk = Self::new();
        desk.program("docker-credential-store", script)
            .write(".docker/config.json", r#"{"credsStore":"store"}"#);
        desk
    }

    /// How often a program left a mark.
    fn runs(&self) -> usize {
        let marks = std::fs::read_to_string(self.path("marks")).unwrap_or_default();
        marks.lines().count()
    }
}

const ANSWER: &str = r#"echo '{"ServerURL":"ghcr.io","Username":"u","Secret":"p-store"}'"#;

#[track_caller]
fn check(desk: &Desk, expected: &Expect) {
    let mut sources = desk.sources();
    sources.forced = Some(CredentialSource::Docker);
    sources.patience = Duration::from_secs(20);
    let search = sources.search(&place("ghcr.io"));
    let mut lines = vec![desk.found(&search, "ghcr.io")];
    let notices = search.notices.iter();
    lines.extend(notices.map(|notice| desk.stable(&format!("notice: {notice}"))));
    expected.assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn a_helper_is_asked_for_the_host() {
    let script = r#"
        read -r host
        echo "{\"ServerURL\":\"$host\",\"Username\":\"$1\",\"Secret\":\"for-$host\"}""#;
    let expected = expect![[r#"
        credential for ghcr.io: the credential helper "store", named in ~/.docker/config.json (kind not recognised), user name get = for-ghcr.io
    "#]];
    check(&Desk::with_store(script), &expected);
}

#[test]
fn a_helper_goes_before_the_file_and_has_one_for_its_host() {
    let mut desk = Desk::with_store("echo >&2 wrong; exit 1");
    desk.program("docker-credential-other.v2", ANSWER).write(
        ".docker/config.json",
        r#"{"credsStore":"store","credHelpers":{"ghcr.io":"other.v2"},"auths":{"ghcr.io":{"auth":"dTpw"}}}"#,
    );
    let expected = expect![[r#"
        credential for ghcr.io: the credential helper "other.v2", named in ~/.docker/config.json (kind not recognised), user name u = p-store
    "#]];
    check(&desk, &expected);
}

/// What it says that docker's library says, and then the file's own entry counts.
#[test]
fn a_helper_that_has_nothing() {
    let mut desk = Desk::with_store("echo 'credentials not found in native keychain'; exit 1");
    let expected = expect![[r"
        none
    "]];
    check(&desk, &expected);
    desk.write(
        ".docker/config.json",
        r#"{"credsStore":"store","auths":{"ghcr.io":{"auth":"dTpw"}}}"#,
    );
    let expected = expect![[r"
        credential for ghcr.io: ~/.docker/config.json (kind not recognised), user name u = p
    "]];
    check(&desk, &expected);
    let empty = Desk::with_store(r#"echo '{"Username":"","Secret":""}'"#);
    let expected = expect![[r"
        none
    "]];
    check(&empty, &expected);
}

#[test]
fn an_identity_token_of_a_helper() {
    let desk = Desk::with_store(r#"echo '{"Username":"<token>","Secret":"p-identity"}'"#);
    let expected = expect![[r#"
        credential for ghcr.io: the credential helper "store", named in ~/.docker/config.json (identity token) = p-identity
    "#]];
    check(&desk, &expected);
}

#[test]
fn a_helper_that_fails_is_told_in_its_words() {
    let desk = Desk::with_store("echo 'the key ring is locked'; exit 1");
    let expected = expect![[r#"
        none
        notice: the credential helper "store", named in ~/.docker/config.json, was passed over: it said: the key ring is locked
    "#]];
    check(&desk, &expected);
    let desk = Desk::with_store("echo 'no display'; echo 'gpg: failed' >&2; exit 2");
    let expected = expect![[r#"
        none
        notice: the credential helper "store", named in ~/.docker/config.json, was passed over: it said: gpg: failed
    "#]];
    check(&desk, &expected);
    let desk = Desk::with_store("exit 3");
    let expected = expect![[r#"
        none
        notice: the credential helper "store", named in ~/.docker/config.json, was passed over: it failed without a word
    "#]];
    check(&desk, &expected);
    // An answer that may hold a secret is not repeated.
    let desk = Desk::with_store(&format!("{ANSWER}; exit 1"));
    let expected = expect![[r#"
        none
        notice: the credential helper "store", named in ~/.docker/config.json, was passed over: it failed without a word
    "#]];
    check(&desk, &expected);
}

#[test]
fn a_helper_that_answers_nonsense() {
    for script in [
        "echo p-secret",
        "printf '\\377\\376p-secret'",
        "echo '{\"Username\":[\"p-secret\"]}'",
        "echo '[]'",
        "true",
    ] {
        let desk = Desk::with_store(script);
        let search = desk.search();
        assert!(search.found.is_none(), "{script}");
        assert_eq!(
            desk.stable(&search.notices.join("\n")),
            "the credential helper \"store\", named in ~/.docker/config.json, was passed over: its answer is not the JSON object that helpers give",
            "{script}"
        );
    }
}

#[test]
fn a_helper_without_end() {
    let desk = Desk::with_store("while :; do echo 0123456789012345678901234567890123456789; done");
    let expected = expect![[r#"
        none
        notice: the credential helper "store", named in ~/.docker/config.json, was passed over: it was ended, since it answered with more than 64 KiB
    "#]];
    check(&desk, &expected);
    // What it complains of is read to the end, and shown by its beginning.
    let desk = Desk::with_store(&format!(
        "i=0; while [ $i -lt 5000 ]; do echo 01234567890123456789 >&2; i=$((i+1)); done; {ANSWER}"
    ));
    let expected = expect![[r#"
        credential for ghcr.io: the credential helper "store", named in ~/.docker/config.json (kind not recognised), user name u = p-store
    "#]];
    check(&desk, &expected);
}

/// It is ended, and so is the wait for what it started itself.
#[test]
fn a_helper_that_hangs() {
    let mut desk = Desk::with_store("");
    let pid = desk.path("pid");
    desk.program(
        "docker-credential-store",
        &format!("echo $$ > '{}'; sleep 40 & wait", pid.display()),
    );
    let mut sources = desk.sources();
    sources.patience = Duration::from_secs(3);
    let start = Instant::now();
    let search = sources.search(&place("ghcr.io"));
    assert!(search.found.is_none());
    assert!(start.elapsed() < Duration::from_secs(30));
    let notices: Vec<String> = search
        .notices
        .iter()
        .map(|notice| desk.stable(notice))
        .collect();
    assert_eq!(
        notices,
        [
            "the credential helper \"store\", named in ~/.docker/config.json, was passed over: it was ended after 3 seconds without an answer"
        ]
    );
    let pid = std::fs::read_to_string(pid).expect("it was started");
    let process = std::path::Path::new("/proc").join(pid.trim());
    assert!(!process.exists(), "it still runs");
}

/// A name with a path, a program in the working directory, and one that may not be executed.
#[test]
fn what_is_not_run() {
    let mut desk = Desk::new();
    let planted = "echo '{\"Username\":\"u\",\"Secret\":\"planted\"}'";
    desk.program("docker-credential-store", planted);
    desk.program("docker-credential-plain", planted);
    let plain = desk.path("bin/docker-credential-plain");
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(plain, permissions).expect("it is ours");
    std::fs::create_dir(desk.path("bin/docker-credential-directory")).expect("a directory");
    for (name, expected) in [
        (
            "../bin/docker-credential-store",
            "that is no name of a program",
        ),
        ("store;id", "that is no name of a program"),
        ("store get", "that is no name of a program"),
        (
            "plain",
            "docker-credential-plain is not on the search path (PATH)",
        ),
        (
            "directory",
            "docker-credential-directory is not on the search path (PATH)",
        ),
        (
            "none",
            "docker-credential-none is not on the search path (PATH)",
        ),
    ] {
        let text = serde_json::json!({ "credsStore": name }).to_string();
        desk.write(".docker/config.json", &text);
        let search = desk.search();
        assert!(search.found.is_none(), "{name}");
        let notice = desk.stable(&search.notices.join("\n"));
        let expected = format!(
            "the credential helper {name:?}, named in ~/.docker/config.json, was passed over: {expected}"
        );
        assert_eq!(notice, expected);
    }
    // Entries of the path that stand for the working directory.
    desk.write(".docker/config.json", r#"{"credsStore":"store"}"#);
    for path in ["", ":", ".:bin"] {
        desk.variables.retain(|(name, _)| name != "PATH");
        desk.set("PATH", path);
        assert!(desk.search().found.is_none(), "{path}");
    }
}

#[test]
fn gh() {
    for (script, expected) in [
        (
            "echo \"gho_$1-$2-$3-$4\"",
            "credential for ghcr.io: gh auth token --hostname github.com (OAuth token, as gh issues them), user name x-access-token = gho_auth-token---hostname-github.com",
        ),
        (
            "echo 'no oauth token found for github.com' >&2; exit 1",
            "none",
        ),
        ("echo", "none"),
        ("echo two words", "none"),
    ] {
        let mut desk = Desk::new();
        desk.program("gh", script).set("GH_TOKEN", "");
        let search = desk.search();
        assert_eq!(desk.found(&search, "ghcr.io"), expected, "{script}");
        assert_eq!(search.notices.len(), 1, "only the empty variable is odd");
    }
    let mut desk = Desk::new();
    desk.program("gh", "echo gho_x");
    for (host, is_asked) in [
        ("containers.github.example", true),
        ("containers.a.ghe.com", true),
        ("registry.example", false),
    ] {
        let found = desk.sources().search(&place(host)).found;
        assert_eq!(found.is_some(), is_asked, "{host}");
    }
}

/// Programs are run only if nothing before them has anything, and each once, however many repositories ask.
#[test]
fn nothing_is_run_without_need() {
    let mut desk = Desk::new();
    let marks = desk.path("marks").display().to_string();
    let script = format!("echo run >> '{marks}'; {ANSWER}");
    desk.program("docker-credential-store", &script)
        .program("gh", &format!("echo run >> '{marks}'; echo gho_gh"))
        .write(
            ".docker/config.json",
            r#"{"credsStore":"store","auths":{"ghcr.io":{"auth":"dTpw"}}}"#,
        )
        .set("DOCKER_AUTH_CONFIG", &logins(&[("ghcr.io", "p-first")]));
    let search = desk.search();
    assert!(desk.found(&search, "ghcr.io").ends_with("= p-first"));
    let shadowed: Vec<String> = search
        .shadowed
        .iter()
        .map(|found| desk.stable(&found.facts.source))
        .collect();
    assert_eq!(shadowed, ["~/.docker/config.json"]);
    assert_eq!(desk.runs(), 0);
    desk.variables
        .retain(|(name, _)| name != "DOCKER_AUTH_CONFIG");
    let sources = desk.sources();
    for _ in 0..3 {
        let search = sources.search(&place("ghcr.io"));
        assert!(desk.found(&search, "ghcr.io").ends_with("= p-store"));
    }
    assert_eq!(desk.runs(), 1);
    // But anew when what it said is no longer good.
    let again = sources.again(CredentialSource::Docker, &place("ghcr.io"));
    assert!(again.is_some());
    assert_eq!(desk.runs(), 2);
}
