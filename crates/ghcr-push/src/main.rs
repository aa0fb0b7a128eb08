//! `ghcr-push`: pushes a locally built container image to GitHub Container Registry, and explains
//! every refusal.
//!
//! This crate is the command line: arguments, credentials, what GitHub's environment tells, rendering
//! and exit codes. How an archive is read is `oci-archive`'s, how it is uploaded `oci-push`'s, why it
//! was refused `ghcr-diagnosis`'s.

mod args;
mod caution;
mod check;
mod content;
mod credentials;
mod dry_run;
mod env;
mod error;
mod explain;
mod github;
mod image;
mod inspect;
mod keychain;
mod layer_cache;
mod logging;
mod nearest;
mod operands;
mod output;
mod proxy;
mod push;
mod quantity;
mod reference;
mod result_files;
mod settings;
mod settled;
mod tls;
mod upload_journal;

use std::process::ExitCode;

use args::Subcommand;
use env::Environment;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    let line = match args::parse(&environment) {
        Ok(line) => line,
        Err(message) => return output::print_message(&message, &environment),
    };
    match &line.command {
        Some(Subcommand::Check(arguments)) => check::run(arguments, &environment),
        Some(Subcommand::Completions(arguments)) => {
            let unknown = args::variables::unknown(&environment);
            output::Printer::plain(&environment).without_effect(&unknown);
            output::print_script(&args::completions::script(arguments))
        }
        Some(Subcommand::Inspect(arguments)) => inspect::run(arguments, &environment),
        Some(Subcommand::Explain(arguments)) => explain::log::run(arguments, &environment),
        None => push::run(&line.arguments, &environment),
    }
}
