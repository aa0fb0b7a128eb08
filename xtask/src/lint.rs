//! Programs of others that look through the action, the workflows and the shell scripts, where they are on PATH.

use std::process::Command;

use crate::run::{have, root, say, succeed};

/// A linter, what it is for, and how it is called.
const LINTERS: [(&str, &str, &[&str]); 3] = [
    (
        "zizmor",
        "workflows and the action are not audited",
        &[
            "--offline",
            "--no-progress",
            "--persona=pedantic",
            ".github",
            "action.yml",
        ],
    ),
    // `$/` is GitHub's since July 2026, and what zizmor asks for; actionlint 1.7.12 does not know it
    // (<https://github.blog/changelog/2026-07-30-reference-same-repository-actions-with-self-repository-syntax/>).
    (
        "actionlint",
        "workflows are not checked",
        &["-ignore", r#"reusable workflow call "\$/"#],
    ),
    (
        "shellcheck",
        "shell scripts are not checked",
        &["action/install.sh", "action/push.sh", ".ci/run"],
    ),
];

/// Runs what is there, and tells what is not.
pub(crate) fn lint() -> Result<(), String> {
    let mut failures = Vec::new();
    for (program, consequence, arguments) in LINTERS {
        if !have(program) {
            say(&format!("skipped: {program} is not on PATH: {consequence}"));
            continue;
        }
        let mut command = Command::new(program);
        command.args(arguments).current_dir(root());
        failures.extend(succeed(&mut command).err());
    }
    if failures.is_empty() {
        return Ok(());
    }
    Err(failures.join("\n"))
}
