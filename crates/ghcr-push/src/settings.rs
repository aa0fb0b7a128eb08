//! Arguments and environment become settings, by pure functions.

use oci_push::{
    HttpSettings, Profile, PushOptions, Reference, RetryPolicy, TlsSettings, UploadMode, Verify,
};

use crate::args::{self, Arguments};
use crate::env::Environment;
use crate::error::CliError;
use crate::reference::References;

/// How progress is shown, decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Display {
    /// Bars on the terminal.
    Bars,
    /// Lines.
    Lines,
    /// Events, and all else that is told as events too.
    Events,
    /// Nothing.
    Nothing,
}

/// Decides how progress is shown. Bars are for a terminal: into a file, a pipe or a log nothing of them would get.
pub(crate) fn display(asked: args::Progress, quiet: bool, environment: &Environment) -> Display {
    match asked {
        // What is told of failures stays JSON.
        args::Progress::Json => Display::Events,
        _ if quiet => Display::Nothing,
        args::Progress::None => Display::Nothing,
        args::Progress::Tty if environment.stderr_is_terminal => Display::Bars,
        args::Progress::Auto if environment.can_draw() => Display::Bars,
        args::Progress::Plain | args::Progress::Tty | args::Progress::Auto => Display::Lines,
    }
}

/// On which of the outputs there is colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Colours {
    pub(crate) stderr: bool,
    pub(crate) stdout: bool,
}

/// Decides where there is colour.
pub(crate) fn colours(asked: args::Color, environment: &Environment) -> Colours {
    Colours {
        stderr: colour(asked, environment, environment.stderr_is_terminal),
        stdout: colour(asked, environment, environment.stdout_is_terminal),
    }
}

/// By <https://no-color.org>, <https://bixense.com/clicolors/> and <https://force-color.org>; what GitHub shows of
/// a workflow's log is no terminal, and coloured all the same.
fn colour(asked: args::Color, environment: &Environment, is_terminal: bool) -> bool {
    let is_on = |value: &&str| !matches!(*value, "0" | "false");
    match asked {
        args::Color::Always => return true,
        args::Color::Never => return false,
        args::Color::Auto => {}
    }
    if environment.filled("NO_COLOR").is_some() {
        return false;
    }
    if environment
        .filled("CLICOLOR_FORCE")
        .is_some_and(|value| is_on(&value))
    {
        return true;
    }
    if let Some(value) = environment.filled("FORCE_COLOR") {
        return is_on(&value);
    }
    if environment.get("GITHUB_ACTIONS") == Some("true") {
        return true;
    }
    let is_wanted = environment
        .filled("CLICOLOR")
        .is_none_or(|value| is_on(&value));
    let terminal = environment.filled("TERM").unwrap_or("dumb");
    // Older consoles of Windows take no escape sequences.
    let is_capable = terminal != "dumb" || environment.filled("WT_SESSION").is_some();
    is_terminal && is_wanted && is_capable
}

/// The engine's options.
pub(crate) fn push_options(
    arguments: &Arguments,
    tls: TlsSettings,
    mount_from: Vec<Reference>,
) -> PushOptions {
    let transfer = &arguments.transfer;
    let mut retry = RetryPolicy::default();
    retry.max_time = transfer.retry_max_time;
    retry.max_tries = transfer.retry;
    let mut http = HttpSettings::default();
    http.user_agent = concat!("ghcr-push/", env!("CARGO_PKG_VERSION")).to_owned();
    http.stall_timeout = transfer.stall_timeout;
    http.tls = tls;
    let mut options = PushOptions::default();
    options.jobs = transfer.jobs.map(usize::from);
    options.upload_mode = upload_mode(transfer.upload_mode, transfer.chunk_size.is_some());
    options.chunk_size = transfer.chunk_size;
    options.limit_rate = transfer.limit_rate;
    options.mount_from = mount_from;
    options.retry = retry;
    options.http = http;
    options.plain_http = arguments.plain_http;
    options.profile = profile(arguments.registry_profile);
    options.verify = match arguments.verify {
        args::Verify::None => Verify::None,
        args::Verify::Manifest => Verify::Manifest,
        args::Verify::Deep => Verify::Deep,
    };
    options.no_clobber = arguments.no_clobber;
    options
}

/// The repositories to take blobs over from.
///
/// # Errors
///
/// A usage error for what is no repository, or none of a registry that is pushed to.
pub(crate) fn mount_from(
    arguments: &Arguments,
    environment: &Environment,
    references: &[Reference],
) -> Result<Vec<Reference>, CliError> {
    let profile = profile(arguments.registry_profile);
    let named = &arguments.transfer.mount_from;
    let named: Vec<String> = named
        .iter()
        .filter(|name| !name.trim().is_empty())
        .cloned()
        .collect();
    let host = references.first().map(Reference::registry);
    let sources = References::read_beside(host, &named, profile, environment)?.all;
    let is_used = |source: &&Reference| {
        let host = source.resolve_registry();
        references
            .iter()
            .any(|reference| reference.resolve_registry() == host)
    };
    match sources.iter().find(|source| !is_used(source)) {
        Some(source) => Err(CliError::usage(format!(
            "--mount-from: {}/{} is not on a registry that is pushed to",
            source.registry(),
            source.repository()
        ))
        .hint("a registry takes blobs over from its own repositories only")),
        None => Ok(sources),
    }
}

/// The registry's kind, `None` to go by the host's name.
pub(crate) fn profile(asked: args::RegistryProfile) -> Option<Profile> {
    match asked {
        args::RegistryProfile::Auto => None,
        args::RegistryProfile::Ghcr => Some(Profile::Ghcr),
        args::RegistryProfile::Ecr => Some(Profile::Ecr),
        args::RegistryProfile::Gar => Some(Profile::Gar),
        args::RegistryProfile::Distribution2 => Some(Profile::Distribution2),
        args::RegistryProfile::Specification => Some(Profile::Specification),
    }
}

/// The kind of the registry that a reference names.
pub(crate) fn profile_of(arguments: &Arguments, reference: &Reference) -> Profile {
    profile(arguments.registry_profile).unwrap_or_else(|| Profile::of_host(reference.registry()))
}

/// Refuses to speak HTTP with GitHub: its registries speak HTTPS only, and the first request would carry a
/// credential for everybody on the way to read.
///
/// # Errors
///
/// A usage error that names the host.
pub(crate) fn check_plain_http(
    arguments: &Arguments,
    references: &[Reference],
) -> Result<(), CliError> {
    let mut hosts = references.iter().map(Reference::resolve_registry);
    let of_github = |host: &&str| Profile::of_host(name_of(host)) == Profile::Ghcr;
    match hosts.find(of_github).filter(|_| arguments.plain_http) {
        Some(host) => Err(
            CliError::usage(format!("{host} is not spoken to over HTTP"))
                .hint("leave out --plain-http, or unset GHCR_PUSH_PLAIN_HTTP"),
        ),
        None => Ok(()),
    }
}

/// Whether a registry is on this machine, where nobody else reads what is sent to it.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = name_of(host);
    let address = name.parse::<std::net::Ipv4Addr>();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback())
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    host.split(':').next().unwrap_or(host)
}

/// A chunk size says that chunks are wanted, unless a mode is given too.
fn upload_mode(asked: Option<args::UploadMode>, has_chunk_size: bool) -> UploadMode {
    match asked {
        Some(args::UploadMode::Stream) => UploadMode::Stream,
        Some(args::UploadMode::Chunked) => UploadMode::Chunked,
        None if has_chunk_size => UploadMode::Chunked,
        Some(args::UploadMode::Auto) | None => UploadMode::Auto,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays() {
        use args::Progress::{Auto, Json, None, Plain, Tty};
        for (asked, quiet, is_terminal, expected) in [
            (Auto, false, true, Display::Bars),
            (Auto, false, false, Display::Lines),
            (Tty, false, true, Display::Bars),
            (Tty, false, false, Display::Lines),
            (Plain, false, true, Display::Lines),
            (None, false, true, Display::Nothing),
            (Tty, true, true, Display::Nothing),
            (Json, false, true, Display::Events),
            (Json, true, false, Display::Events),
        ] {
            let mut environment = Environment::of(&[]);
            environment.stderr_is_terminal = is_terminal;
            let decided = display(asked, quiet, &environment);
            assert_eq!(decided, expected, "{asked:?}");
        }
        // A terminal that takes no escape sequences gets bars only if they are asked for.
        let mut environment = Environment::of(&[("TERM", "dumb")]);
        environment.stderr_is_terminal = true;
        assert_eq!(display(Auto, false, &environment), Display::Lines);
        assert_eq!(display(Tty, false, &environment), Display::Bars);
    }

    #[test]
    fn colour() {
        use args::Color::{Always, Auto, Never};
        let xterm = ("TERM", "xterm");
        for (asked, variables, is_terminal, expected) in [
            (Auto, &[xterm][..], true, true),
            (Auto, &[xterm], false, false),
            (Auto, &[], true, false),
            (Auto, &[("TERM", "dumb")], true, false),
            (Auto, &[("WT_SESSION", "1")], true, true),
            (Auto, &[xterm, ("CLICOLOR", "0")], true, false),
            (Auto, &[xterm, ("NO_COLOR", "1")], true, false),
            (Auto, &[xterm, ("NO_COLOR", "")], true, true),
            (Auto, &[("CLICOLOR_FORCE", "1")], false, true),
            (Auto, &[("CLICOLOR_FORCE", "0")], false, false),
            (
                Auto,
                &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
                true,
                false,
            ),
            (Auto, &[("FORCE_COLOR", "3")], false, true),
            (Auto, &[xterm, ("FORCE_COLOR", "0")], true, false),
            (Auto, &[("GITHUB_ACTIONS", "true")], false, true),
            (Auto, &[("GITHUB_ACTIONS", "")], false, false),
            (
                Auto,
                &[("GITHUB_ACTIONS", "true"), ("NO_COLOR", "1")],
                false,
                false,
            ),
            (Always, &[("NO_COLOR", "1")], false, true),
            (Never, &[xterm, ("CLICOLOR_FORCE", "1")], true, false),
        ] {
            let environment = Environment::of(variables);
            let found = super::colour(asked, &environment, is_terminal);
            assert_eq!(found, expected, "{asked:?} {variables:?} {is_terminal}");
        }
    }

    #[test]
    fn modes() {
        use args::UploadMode as Asked;
        for (asked, has_chunk_size, expected) in [
            (None, false, UploadMode::Auto),
            (None, true, UploadMode::Chunked),
            (Some(Asked::Stream), true, UploadMode::Stream),
            (Some(Asked::Auto), true, UploadMode::Auto),
        ] {
            assert_eq!(upload_mode(asked, has_chunk_size), expected, "{asked:?}");
        }
    }

    #[test]
    fn loopback() {
        for (host, expected) in [
            ("localhost", true),
            ("localhost:5000", true),
            ("registry.localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.8.9.10", true),
            ("10.0.0.1:5000", false),
            ("registry.internal:5000", false),
            ("notlocalhost:5000", false),
            ("127.0.0.1.example:5000", false),
        ] {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
    }
}
