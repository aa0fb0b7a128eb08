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
    ("actionlint", "workflows are not checked", &[]),
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
