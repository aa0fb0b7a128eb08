//! On a terminal of its own, as `script` (bsdutils) gives one: both streams in one, lines that end as terminals want
//! them, bars that come and go before the explanation.

use std::process::Command;

use expect_test::expect;
use test_registry::{Refusal, installed};

use super::{CLASSIC, Story, denied};
use crate::doctor::run::Workflow;
use crate::support::Run;

/// Runs a command on a terminal. What it says on either stream is returned as standard error.
fn on_terminal(command: &mut Command) -> Run {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_str().expect("text")))
        .collect();
    let mut script = Command::new("script");
    script
        .args(["-qec", &words.join(" "), "/dev/null"])
        .env_clear()
        .env("TERM", "xterm")
        .env("PATH", "/usr/bin:/bin");
    for (name, value) in command.get_envs() {
        script.env(name, value.unwrap_or_default());
    }
    if let Some(directory) = command.get_current_dir() {
        script.current_dir(directory);
    }
    let mut run = Run::of(script.output().expect("it starts"));
    run.stderr = std::mem::take(&mut run.stdout).replace("\r\n", "\n");
    run
}

/// What is told from the error on.
fn told(story: &Story) -> String {
    let told = story.told_by(on_terminal);
    let start = told.find("error: ").expect("an error is told");
    told[start..].to_owned()
}

#[test]
fn a_package_made_by_hand() {
    if !installed(&["script"]) {
        return;
    }
    let story = Story {
        workflow: Some(Workflow::default()),
        refusal: Some(Refusal::WritePackage),
        ..Story::default()
    };
    expect![[r#"
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: permission_denied: write_package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the package owner/app exists, and does not admit this push

        1. package-denies-repository (likely)
           the package does not give owner/app the role Write. It was probably first pushed by hand, or from another repository. The workflow's `permissions:` are not the matter
           evidence:
             - HOST said: permission_denied: write_package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - a token without `packages: write` is refused with other words
           what to do:
             Open https://github.com/orgs/owner/packages/container/app/settings (if owner is a user: https://github.com/users/owner/packages/container/app/settings), go to "Manage Actions access", choose "Add repository", add owner/app, and set its role to Write. Then run the job again.
    "#]].assert_eq(&told(&story));
}

/// The bars have moved the cursor until then; the server's words do not.
#[test]
fn hostile_words() {
    if !installed(&["script"]) {
        return;
    }
    let story = Story {
        token: CLASSIC,
        refusal: Some(denied(&format!(
            "\u{1b}[2J\u{1b}]0;owned\u{7} {CLASSIC}\r::error::owned"
        ))),
        options: &["--no-probe"],
        ..Story::default()
    };
    let told = told(&story);
    for bad in ["\u{1b}", "\u{7}", "\r", CLASSIC] {
        assert!(!told.contains(bad), "{bad:?} in {told}");
    }
    assert!(
        told.contains(r"\u{1b}[2J\u{1b}]0;owned\u{7} [redacted]\u{d}::error::owned"),
        "{told}"
    );
}
