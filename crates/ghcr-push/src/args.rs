//! The command line, as clap sees it. Nothing else knows clap.

mod check;
pub(crate) mod completions;
pub(crate) mod credentials;
mod display;
pub(crate) mod explain;
mod github;
pub(crate) mod help;
pub(crate) mod image;
mod peers;
mod results;
pub(crate) mod transfer;
pub(crate) mod variables;

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, TypedValueParser as _};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{
    ArgAction, Command, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum, ValueHint,
};

use crate::env::Environment;
use crate::settings::{self, Colours};
use completions::CompletionsArguments;
use credentials::CredentialArguments;
pub(crate) use display::{Color, Progress};
use display::{ColorArguments, DisplayArguments};
use explain::ExplainArguments;
pub(crate) use github::GithubActions;
use github::{ActionsArguments, GithubArguments};
use image::ImageArguments;
pub(crate) use results::ResultArguments;
pub(crate) use transfer::{TransferArguments, UploadMode};

/// Everything that can be said on the command line.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "ghcr-push",
    version = env!("GHCR_PUSH_VERSION"),
    about = "Push a locally built container image to GitHub Container Registry, and explain every refusal",
    override_usage = USAGE,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Option<Subcommand>,

    #[command(flatten)]
    pub(crate) arguments: Arguments,
}

/// What can be said about a push.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// The image: an OCI layout as a tar file or a directory, a docker-save archive, either compressed or
    /// not, or - for standard input; several become one index. Then where to push it:
    /// `host/owner/name[:tag]`; `:a,b` names two tags, and the tag is `latest` if neither this nor --tag names one
    #[arg(required = true, value_name = "IMAGE REFERENCE", value_hint = ValueHint::AnyPath)]
    pub(crate) operands: Vec<String>,

    /// One more tag in every repository named; the only one where the reference names none
    #[arg(
        short,
        long = "tag",
        value_name = "TAG",
        env = "GHCR_PUSH_TAG",
        value_delimiter = ','
    )]
    pub(crate) tags: Vec<String>,

    /// What to ask the registry after the push
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Verify::Manifest, env = "GHCR_PUSH_VERIFY")]
    pub(crate) verify: Verify,

    /// Tell what would be sent and which tags would move, and do nothing
    #[arg(long, env = "GHCR_PUSH_DRY_RUN", value_parser = BoolishValueParser::new())]
    pub(crate) dry_run: bool,

    /// Refuse to move a tag that exists and names another digest
    #[arg(long, env = "GHCR_PUSH_NO_CLOBBER", value_parser = BoolishValueParser::new())]
    pub(crate) no_clobber: bool,

    /// The user name that goes with --password-stdin, or with a token of a variable's or of gh's
    #[arg(short, long, value_name = "NAME", env = "GHCR_PUSH_USERNAME")]
    pub(crate) username: Option<String>,

    /// Read the password or token from standard input
    #[arg(long, requires = "username")]
    pub(crate) password_stdin: bool,

    /// Speak HTTP instead of HTTPS with the registry
    #[arg(long, env = "GHCR_PUSH_PLAIN_HTTP", value_parser = BoolishValueParser::new())]
    pub(crate) plain_http: bool,

    /// Trust any certificate of the registry's; for tests only
    #[arg(long, env = "GHCR_PUSH_INSECURE", conflicts_with = "plain_http", value_parser = BoolishValueParser::new())]
    pub(crate) insecure: bool,

    /// Trust the authorities in this file too (PEM)
    #[arg(long, value_name = "FILE", env = "GHCR_PUSH_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Show the registry this certificate (PEM)
    #[arg(
        long,
        value_name = "FILE",
        env = "GHCR_PUSH_CERT_FILE",
        requires = "key_file"
    )]
    pub(crate) cert_file: Option<PathBuf>,

    /// The key of --cert-file (PEM)
    #[arg(
        long,
        value_name = "FILE",
        env = "GHCR_PUSH_KEY_FILE",
        requires = "cert_file"
    )]
    pub(crate) key_file: Option<PathBuf>,

    /// Treat the registry as one of this kind, whatever its host's name
    #[arg(long, value_name = "KIND", value_enum, default_value_t = RegistryProfile::Auto,
          env = "GHCR_PUSH_REGISTRY_PROFILE")]
    pub(crate) registry_profile: RegistryProfile,

    /// Print nothing on standard error but failures
    #[arg(short, long, env = "GHCR_PUSH_QUIET", value_parser = BoolishValueParser::new())]
    pub(crate) quiet: bool,

    /// Print every request; twice for more (as the variable, 1 or 2); implied in a workflow run that is debugged
    #[arg(short, long, action = ArgAction::Count, env = "GHCR_PUSH_VERBOSE")]
    pub(crate) verbose: u8,

    /// Print one JSON object on standard output instead of the digest lines
    #[arg(long, env = "GHCR_PUSH_JSON", value_parser = BoolishValueParser::new())]
    pub(crate) json: bool,

    // Last, since their headings are those of all that follows.
    #[command(flatten)]
    pub(crate) results: ResultArguments,

    #[command(flatten)]
    pub(crate) actions: ActionsArguments,

    #[command(flatten)]
    pub(crate) transfer: TransferArguments,

    #[command(flatten)]
    pub(crate) credentials: CredentialArguments,

    #[command(flatten)]
    pub(crate) github: GithubArguments,

    #[command(flatten)]
    pub(crate) display: DisplayArguments,

    #[command(flatten)]
    pub(crate) image: ImageArguments,
}

/// What else the tool does.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Ask the registry whether a push would be allowed, without sending anything of an image
    Check(Box<Arguments>),

    /// Print the script that teaches a shell to complete options and subcommands
    Completions(CompletionsArguments),

    /// Explain the refusals in the log of any tool that pushes images
    Explain(ExplainArguments),

    /// Show what is in an archive, and what would be pushed
    Inspect(InspectArguments),
}

/// What can be said to `inspect`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct InspectArguments {
    /// The archives; several are shown one after the other, and what a push makes of them together
    #[arg(required = true, value_name = "IMAGE", value_hint = ValueHint::AnyPath)]
    pub(crate) images: Vec<String>,

    /// Print nothing on standard error but failures
    #[arg(short, long, env = "GHCR_PUSH_QUIET", value_parser = BoolishValueParser::new())]
    pub(crate) quiet: bool,

    /// Print one JSON object on standard output
    #[arg(long, env = "GHCR_PUSH_JSON", value_parser = BoolishValueParser::new())]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) color: ColorArguments,

    #[command(flatten)]
    pub(crate) image: ImageArguments,
}

const USAGE: &str = "\
ghcr-push [OPTIONS] <IMAGE>... <REFERENCE>...
       ghcr-push check [OPTIONS] <REFERENCE>... [IMAGE]...
       ghcr-push inspect [OPTIONS] <IMAGE>...
       ghcr-push explain [--json] [FILE | -]
       ghcr-push completions <SHELL>
       ghcr-push help [COMMAND]";

/// What is asked after the push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Verify {
    /// Nothing
    None,
    /// That each tag answers with the pushed digest
    Manifest,
    /// That, and every blob and manifest below
    Deep,
}

/// The registry's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RegistryProfile {
    /// By the host's name
    Auto,
    /// GitHub Container Registry, also behind another name
    Ghcr,
    /// Amazon's registries
    Ecr,
    /// Google's registries
    Gar,
    /// Distribution 2.8 and what is made of it, such as Harbor
    Distribution2,
    /// Any registry of the OCI distribution specification
    Specification,
}

/// Parses the process's arguments. The error is a message for the user: help, version, or a mistake.
pub(crate) fn parse(environment: &Environment) -> Result<CommandLine, Message> {
    read(&mut command(environment), environment).map_err(|error| {
        let error = variables::named(without_password(error), environment);
        let error = peers::translated(error);
        let is_mistake = error.use_stderr();
        let colours = settings::colours(display::color(environment), environment);
        let text = error.render();
        Message {
            is_mistake,
            colours,
            wants_json: wants_json(environment),
            github_actions: GithubActions::told(environment),
            wants_events: display::wants_events(environment),
            // Mistakes quote what was said, and are coloured when that is harmless.
            text: if colours.stdout && !is_mistake {
                text.ansi().to_string()
            } else {
                text.to_string()
            },
        }
    })
}

/// Whether `--json` or its variable is given, among arguments that cannot be parsed.
fn wants_json(environment: &Environment) -> bool {
    let mut options = environment
        .arguments
        .iter()
        .take_while(|argument| *argument != "--");
    let by_variable = environment.filled("GHCR_PUSH_JSON").map(|value| {
        let parser = BoolishValueParser::new();
        parser.parse_ref(&Command::new("ghcr-push"), None, OsStr::new(value))
    });
    options.any(|argument| argument == "--json") || matches!(by_variable, Some(Ok(true)))
}

fn read(command: &mut Command, environment: &Environment) -> Result<CommandLine, clap::Error> {
    let words = help::asked(&environment.arguments);
    let matches = command.try_get_matches_from_mut(words)?;
    let mut line = CommandLine::from_arg_matches(&matches)?;
    let is_push = matches!(line.command, None | Some(Subcommand::Check(_)));
    let (arguments, matches) = match (&mut line.command, matches.subcommand()) {
        (Some(Subcommand::Check(arguments)), Some((_, matches))) => (&mut **arguments, matches),
        _ => (&mut line.arguments, &matches),
    };
    let is_debugged = environment.filled("RUNNER_DEBUG") == Some("1");
    if is_debugged && !arguments.quiet {
        arguments.verbose = arguments.verbose.max(1);
    }
    if arguments.quiet && arguments.verbose > 0 {
        // Not clap's own conflict: that counts a variable too, be its value false.
        let is_said = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        match (is_said("quiet"), is_said("verbose")) {
            (true, true) => {
                let message = "the argument '--quiet' cannot be used with '--verbose'";
                return Err(command.error(ErrorKind::ArgumentConflict, message));
            }
            // A variable is for all runs, an option for this one.
            (false, true) => arguments.quiet = false,
            (_, false) => arguments.verbose = 0,
        }
    }
    if is_push {
        transfer::settle_mode(&mut arguments.transfer, matches)
            .map_err(|message| command.error(ErrorKind::ArgumentConflict, message))?;
    }
    Ok(line)
}

/// Takes out what was given to an option for a password, none of which takes a value.
fn without_password(mut error: clap::Error) -> clap::Error {
    let is_secret = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.contains("password"),
        _ => false,
    };
    if is_secret && error.get(ContextKind::InvalidValue).is_some() {
        let hidden = ContextValue::String("...".to_owned());
        error.insert(ContextKind::InvalidValue, hidden);
    }
    error
}

/// The definition, with the variables that count.
fn command(environment: &Environment) -> Command {
    let command = variables::adapted(CommandLine::command(), environment);
    let command = command
        .mut_subcommands(|one| variables::adapted(one, environment))
        .mut_subcommand("check", check::adapted);
    help::arranged(command, environment)
}

/// What the user is told instead of a push.
#[derive(Debug)]
pub(crate) struct Message {
    /// Whether the arguments are wrong; otherwise help or the version was asked for.
    pub(crate) is_mistake: bool,
    /// Whether a mistake is told as JSON too.
    pub(crate) wants_json: bool,
    /// Whether a run is told of it.
    pub(crate) github_actions: GithubActions,
    /// Whether standard error is for events only.
    pub(crate) wants_events: bool,
    /// Where there is colour.
    pub(crate) colours: Colours,
    /// The text, lines with their ends.
    pub(crate) text: String,
}

#[cfg(test)]
mod documents;
#[cfg(test)]
mod tests;
