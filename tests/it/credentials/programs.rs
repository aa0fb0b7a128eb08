//! Programs that the binary asks: they are written by the test, and found on the search path.

use std::io::Write as _;
use std::process::{Command, Stdio};

use expect_test::expect;
use test_registry::Route;

use super::{Desk, login, registry, told};
use crate::support::{TOKEN, USERNAME, check};

impl Desk {
    /// Puts a shell script on the search path. Another process writes it: a file that this one has open for
    /// writing while another test starts a program cannot be executed.
    fn program(&mut self, name: &str, script: &str) -> &mut Self {
        let directory = self.home().join("bin");
        std::fs::create_dir_all(&directory).expect("it can be made");
        let mut writer = Command::new("/bin/sh")
            .args(["-c", "cat > \"$0\" && chmod 700 \"$0\""])
            .arg(directory.join(name))
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut pipe = writer.stdin.take().expect("a pipe");
        write!(pipe, "#!/bin/sh\n{script}\n").expect("it reads");
        drop(pipe);
        assert!(writer.wait().expect("it ends").success());
        let path = format!("{}:/usr/bin:/bin", directory.display());
        self.unset("PATH").set("PATH", &path)
    }

    /// A script that answers as helpers do.
    fn helper(&mut self, name: &str, password: &str) -> &mut Self {
        let answer = serde_json::json!({ "Username": USERNAME, "Secret": password });
        self.program(
            &format!("docker-credential-{name}"),
            &format!("echo '{answer}'"),
        )
    }
}

#[test]
fn a_credential_helper() {
    let registry = registry();
    let mut desk = Desk::new();
    desk.helper("good", TOKEN).helper("bad", "ghp_wrong").write(
        ".docker/config.json",
        &format!(
            r#"{{"credsStore":"bad","credHelpers":{{"{}":"good"}}}}"#,
            registry.host()
        ),
    );
    let run = desk.push(&registry, &[]);
    run.assert_code(0);
    assert_eq!(
        told(&run, &registry.host()),
        "credential for HOST: the credential helper \"good\", named in ~/.docker/config.json (installation token, as GITHUB_TOKEN is), user name octocat"
    );
}

/// A configuration from a desk with Docker Desktop, in a place without it: docker fails, this goes on.
#[test]
fn a_helper_that_is_missing() {
    let registry = registry();
    let mut desk = Desk::new();
    desk.write(".docker/config.json", r#"{"credsStore":"desktop"}"#)
        .write(
            ".config/containers/auth.json",
            &login(&registry.host(), TOKEN),
        );
    let run = desk.push(&registry, &["--progress", "none"]);
    run.assert_code(0);
    let stderr = run.stable_stderr(&registry.host());
    let lines = stderr.lines().take(2).map(|line| format!("{line}\n"));
    expect![[r#"
        notice: the credential helper "desktop", named in ~/.docker/config.json, was passed over: docker-credential-desktop is not on the search path (PATH)
        credential for HOST: ~/.config/containers/auth.json (installation token, as GITHUB_TOKEN is), user name octocat
    "#]]
    .assert_eq(&lines.collect::<String>());
}

/// Its complaint is shown, made harmless, and without what looks like a token.
#[test]
fn a_helper_that_fails() {
    let mut desk = Desk::new();
    desk.program(
        "docker-credential-store",
        "printf '::error::\\033[31mghp_0123456789abcdef is locked\\n'; exit 1",
    )
    .write(".docker/config.json", r#"{"credsStore":"store"}"#);
    let run = desk.run(&[
        "--credential-source",
        "docker",
        "image.tar",
        "ghcr.io/owner/app:1",
    ]);
    check(
        &run,
        "",
        4,
        &expect![[r#"
            notice: the credential helper "store", named in ~/.docker/config.json, was passed over: it said: ::error::\u{1b}[31m[redacted] is locked
            error: no credential for ghcr.io was found in the source docker

            diagnosis: no credential was found

            1. credential-missing (proven)
               nobody may push anonymously, and no credential for the registry was found
               evidence:
                 - looked at the credential helper "store", named in ~/.docker/config.json (it said: ::error::\u{1b}[31m[redacted] is locked)
                 - looked at ~/.docker/config.json (nothing for ghcr.io)
               what to do:
                 Mend this first: the credential helper "store", named in ~/.docker/config.json: it said: ::error::\u{1b}[31m[redacted] is locked. If nothing is kept there: `--credential-source` takes docker and nothing else: put the credential there, or leave the option out.
                 https://github.com/settings/tokens/new?scopes=write:packages
        "#]],
    );
}

/// What gh has stored is asked for, not what its variables say: those are sources of their own.
#[test]
fn the_gh_command() {
    let nowhere = registry();
    let mut desk = Desk::new();
    desk.program(
        "gh",
        "echo \"$* ${GH_TOKEN-unset}\" > \"$HOME/seen\"; echo gho_x",
    )
    .set("HTTPS_PROXY", &nowhere.url());
    for options in [&[][..], &["--credential-source", "gh"]] {
        let mut arguments = vec!["--retry", "1"];
        arguments.extend(options);
        arguments.extend(["image.tar", "ghcr.io/owner/app:1"]);
        let run = desk.run(&arguments);
        run.assert_code(5);
        assert_eq!(
            told(&run, "ghcr.io"),
            "credential for HOST: gh auth token --hostname github.com (OAuth token, as gh issues them), user name x-access-token"
        );
        let seen = std::fs::read_to_string(desk.home().join("seen")).expect("it was asked");
        assert_eq!(seen, "auth token --hostname github.com unset\n");
        desk.set("GH_TOKEN", "ghp_variable");
    }
}

/// The helper has a new password by the time that the old one is refused.
#[test]
fn a_rotated_secret_is_read_again() {
    let registry = registry();
    let mut desk = Desk::new();
    let answer = |password: &str| {
        let answer = serde_json::json!({ "Username": USERNAME, "Secret": password });
        answer.to_string()
    };
    desk.program(
        "docker-credential-rotating",
        &format!(
            "if [ -e \"$HOME/asked\" ]; then echo '{}'; else : > \"$HOME/asked\"; echo '{}'; fi",
            answer(TOKEN),
            answer("ghp_stale")
        ),
    )
    .write(".docker/config.json", r#"{"credsStore":"rotating"}"#);
    let run = desk.push(&registry, &["--progress", "none"]);
    run.assert_code(0);
    assert_eq!(registry.journal().count(Route::Token), 2);
    let stderr = run.stable_stderr(&registry.host());
    let lines = stderr.lines().take(2).map(|line| format!("{line}\n"));
    expect![[r#"
        credential for HOST: the credential helper "rotating", named in ~/.docker/config.json (classic personal access token), user name octocat
        notice: the credential helper "rotating", named in ~/.docker/config.json: the credential has changed, the new one is used
    "#]]
    .assert_eq(&lines.collect::<String>());
    assert!(!run.stderr.contains("ghp_stale"), "{}", run.stderr);
}

/// What a program prints is not this program's output, and its input is not this one's.
#[test]
fn a_helper_has_pipes_of_its_own() {
    let registry = registry();
    let mut desk = Desk::new();
    let answer = serde_json::json!({ "Username": USERNAME, "Secret": TOKEN });
    desk.program(
        "docker-credential-store",
        &format!("cat > \"$HOME/heard\"; echo noise >&2; echo '{answer}'"),
    )
    .write(".docker/config.json", r#"{"credsStore":"store"}"#);
    let run = desk.push(&registry, &["-vv"]);
    run.assert_code(0);
    let heard = std::fs::read_to_string(desk.home().join("heard")).expect("it was asked");
    assert_eq!(heard, registry.host());
    assert!(!run.stderr.contains("noise"), "{}", run.stderr);
    assert!(!run.stderr.contains(TOKEN), "{}", run.stderr);
    assert_eq!(run.stdout.lines().count(), 1, "{}", run.stdout);
}
