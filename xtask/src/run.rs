//! Running programs, and saying so.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::Command;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map_or(own.clone(), PathBuf::from)
}

/// Cargo, as it was called.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command to its end, its output passed through.
pub(crate) fn succeed(command: &mut Command) -> Result<(), String> {
    let shown = display(command);
    say(&format!("$ {shown}"));
    let status = command
        .status()
        .map_err(|error| format!("{shown} cannot be run: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{shown} failed: {status}"))
    }
}

/// Whether a program is on PATH.
pub(crate) fn have(program: &str) -> bool {
    #[expect(clippy::disallowed_methods, reason = "a task is no part of the tool")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Prints a line.
pub(crate) fn say(text: &str) {
    // Whoever has closed the pipe has read enough.
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// A command as it would be typed.
pub(crate) fn display(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    if let Some(name) = words[0].rsplit('/').next() {
        words[0] = name.to_owned();
    }
    words.join(" ")
}
