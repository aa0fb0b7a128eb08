//! How the help is arranged: short and long, under headings, with examples.

use std::ffi::OsString;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Command};

use crate::env::Environment;
use crate::error;

/// What is said below the short help.
const MORE: &str = "\
More options, with their variables, examples and exit codes: ghcr-push --help";

/// Where the credential comes from: the table in `docs/usage.md`, in few words.
const AUTHENTICATION: &str = "\
Authentication:
  The first of these that holds something for the repository is used; nothing is ever written.
  1. --password-stdin, with --username
  2. GHCR_PUSH_TOKEN
  3. DOCKER_AUTH_CONFIG: the text of a config.json of docker's
  4. --authfile, else the file of REGISTRY_AUTH_FILE
  5. docker login, with its credential helpers, and what buildx keeps
  6. podman login
  7. GH_TOKEN, GITHUB_TOKEN, CR_PAT, for GitHub's own registries only
     GH_ENTERPRISE_TOKEN, GITHUB_ENTERPRISE_TOKEN, for a GitHub Enterprise Server only
  8. gh auth login, for GitHub's registries only
  In a workflow, set GITHUB_TOKEN to ${{ github.token }}, with `packages: write` among its permissions.
  The login of gh needs the scope write:packages: gh auth refresh --scopes write:packages";

/// What is said below the long help.
const EXAMPLES: &str = "\
Examples:
  ghcr-push image.tar ghcr.io/owner/name:latest
  ghcr-push image.tar ghcr.io/owner/name:1.4,latest
  ghcr-push -t 1.4 -t latest image.tar ghcr.io/owner/name
  ghcr-push amd64.tar arm64.tar ghcr.io/owner/name:1.4
  docker save name | ghcr-push - ghcr.io/owner/name:1.4
  ghcr-push --dry-run image.tar ghcr.io/owner/name:1.4
  ghcr-push --plain-http image.tar localhost:5000/owner/name
  gh auth token | ghcr-push --username USER --password-stdin image.tar ghcr.io/owner/name:1.4
  ghcr-push inspect image.tar
  ghcr-push check ghcr.io/owner/name
  ghcr-push explain build.log";

/// The same for each subcommand.
const EXAMPLES_OF: [(&str, &str); 4] = [
    (
        "check",
        "\
Authentication:
  As for a push: ghcr-push --help tells the order of the sources.

Examples:
  ghcr-push check ghcr.io/owner/name
  ghcr-push check ghcr.io/owner/name:1.4 image.tar
  ghcr-push check --json ghcr.io/owner/name

Exit codes: 0 allowed, 2 usage, 3 image, 4 refused, 5 registry or network unavailable.",
    ),
    (
        "completions",
        "\
Examples:
  ghcr-push completions bash > ~/.local/share/bash-completion/completions/ghcr-push
  ghcr-push completions zsh > ~/.zfunc/_ghcr-push       (with ~/.zfunc in fpath)
  ghcr-push completions fish > ~/.config/fish/completions/ghcr-push.fish
  ghcr-push completions powershell | Out-String | Invoke-Expression",
    ),
    (
        "explain",
        "\
Examples:
  ghcr-push explain build.log
  docker push ghcr.io/owner/name 2>&1 | ghcr-push explain
  ghcr-push explain --json build.log

Exit codes: 0 a refusal was recognised, 1 none was, 3 the log cannot be read.",
    ),
    (
        "inspect",
        "\
Examples:
  ghcr-push inspect image.tar
  ghcr-push inspect amd64.tar arm64.tar
  ghcr-push inspect --json --platform linux/amd64 image.tar

Exit codes: 0 described, 2 usage, 3 image.",
    ),
];

/// Options that are of one kind and do not stand together. All others have their headings where they are defined.
const HEADINGS: [(&str, &[&str]); 5] = [
    ("Credentials", &["username", "password_stdin"]),
    (
        "Connection",
        &[
            "plain_http",
            "insecure",
            "ca_file",
            "cert_file",
            "key_file",
            "registry_profile",
        ],
    ),
    ("GitHub", &["no_probe", "api_url"]),
    (
        "Output",
        &["progress", "color", "quiet", "verbose", "github_actions"],
    ),
    (
        "Results",
        &["json", "digestfile", "image_refs", "metadata_file"],
    ),
];

/// What few need, and the short help leaves out.
const RARE: [&str; 23] = [
    "annotations",
    "api_url",
    "attestations",
    "authfile",
    "ca_file",
    "cert_file",
    "chunk_size",
    "compression_format",
    "compression_level",
    "credential_source",
    "insecure",
    "key_file",
    "limit_rate",
    "mount_from",
    "no_probe",
    "only_present",
    "preserve_digests",
    "referrers",
    "registry_profile",
    "retry",
    "retry_max_time",
    "stall_timeout",
    "upload_mode",
];

/// The definition as it is shown.
pub(super) fn arranged(command: Command, environment: &Environment) -> Command {
    let is_short = environment.arguments.iter().any(|word| word == "-h");
    let mut command = of_one(command, is_short)
        .after_help(MORE)
        .after_long_help(format!(
            "{AUTHENTICATION}\n\n{EXAMPLES}\n\n{}",
            error::told()
        ))
        .mut_subcommands(|one| of_one(one, is_short));
    for (name, examples) in EXAMPLES_OF {
        command = command.mut_subcommand(name, |one| {
            one.after_help(format!("More: ghcr-push {name} --help"))
                .after_long_help(examples)
        });
    }
    command
}

fn of_one(command: Command, is_short: bool) -> Command {
    command.mut_args(|argument| {
        let argument = under_heading(argument);
        let is_rare = RARE.contains(&argument.get_id().as_str());
        argument
            .hide_short_help(is_rare)
            // The variables' names are for whoever reads all; their values are for nobody.
            .hide_env(is_short)
            .hide_env_values(true)
    })
}

fn under_heading(argument: Arg) -> Arg {
    let id = argument.get_id().as_str();
    let heading = HEADINGS.iter().find(|(_, ids)| ids.contains(&id));
    match heading {
        Some((heading, _)) => argument.help_heading(Resettable::Value((*heading).into())),
        None => argument,
    }
}

/// The arguments, in which `help` and `help COMMAND` are what they mean. Every other `help` is left alone: a file may
/// be called so.
pub(super) fn asked(arguments: &[OsString]) -> Vec<OsString> {
    let is_known = |name: &OsString| name.to_str().is_some_and(is_subcommand);
    let help = OsString::from("--help");
    match arguments {
        [program, word] if word == HELP => vec![program.clone(), help],
        [program, word, again] if word == HELP && again == HELP => vec![program.clone(), help],
        [program, word, name] if word == HELP && is_known(name) => {
            vec![program.clone(), name.clone(), help]
        }
        _ => arguments.to_vec(),
    }
}

/// The word that asks for help as a subcommand would.
pub(crate) const HELP: &str = "help";

/// Whether it is the name of a subcommand.
pub(crate) fn is_subcommand(word: &str) -> bool {
    EXAMPLES_OF.iter().any(|(name, _)| *name == word)
}

/// The subcommand that `word` is probably meant to be.
pub(crate) fn similar_subcommand(word: &str) -> Option<String> {
    let names = EXAMPLES_OF.iter().map(|(name, _)| *name);
    let subcommands = names.chain([HELP]).map(Command::new);
    let alone = Command::new("ghcr-push")
        .disable_help_subcommand(true)
        .subcommands(subcommands);
    let error = alone.try_get_matches_from(["ghcr-push", word]).err()?;
    match error.get(ContextKind::SuggestedSubcommand)? {
        ContextValue::String(similar) => Some(similar.clone()),
        ContextValue::Strings(similar) => similar.last().cloned(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::credentials::CredentialSource;

    /// What is told of the order is the order.
    #[test]
    fn the_sources_stand_in_their_order() {
        let mut rest = AUTHENTICATION;
        for source in CredentialSource::in_order() {
            let name = source.name();
            let (_, behind) = rest.split_once(&name).unwrap_or_else(|| panic!("{name}"));
            rest = behind;
        }
    }
}
