//! What shells complete.

use clap::Args;
use clap_complete::Shell;

use crate::env::Environment;

/// Which shell's completions are printed.
#[derive(Debug, Clone, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}

/// The script that teaches a shell to complete the command line.
pub(crate) fn script(arguments: &CompletionsArguments) -> String {
    // The same on every machine: a variable that is set must not change it.
    let mut command = super::command(&Environment::default());
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "ghcr-push", &mut script);
    let script = String::from_utf8_lossy(&script);
    match arguments.shell {
        // Of a program with a hyphen in its name, the states of subcommands are spelled in two ways, and nothing
        // is completed after one: <https://github.com/clap-rs/clap/issues/6421>.
        Shell::Bash => script.replace("ghcr__subcmd__push__subcmd__", "ghcr__push__subcmd__"),
        _ => script.into_owned(),
    }
}
