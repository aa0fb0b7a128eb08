//! The credentials of one run: looked up once for every registry named, announced, and given to the
//! engine.

use std::collections::BTreeMap;

use oci_push::{Credentials, Keychain, Profile, Reference};
use secrecy::SecretString;

use crate::args::Arguments;
use crate::credentials::{FoundCredential, Search, Sources};
use crate::env::{Environment, password_from_stdin};
use crate::error::{CliError, Kind};
use crate::github;
use crate::output::Printer;
use crate::settings;

/// What was found for every registry named.
pub(crate) type Found = BTreeMap<String, Option<FoundCredential>>;

pub(crate) fn find_credentials(
    arguments: &Arguments,
    environment: &Environment,
    references: &[Reference],
    printer: &Printer,
) -> Result<Found, CliError> {
    let first = references.first().map(Reference::resolve_registry);
    let sole_registry = references
        .iter()
        .all(|reference| Some(reference.resolve_registry()) == first);
    if arguments.password_stdin && !sole_registry {
        return Err(CliError::usage(
            "--password-stdin gives one password, but several registries are named",
        ));
    }
    let given = match (&arguments.username, arguments.password_stdin) {
        (Some(username), true) => {
            let password = password_from_stdin().map_err(|error| {
                CliError::usage("no password can be read from standard input").caused_by(&error)
            })?;
            if password.is_empty() {
                let error = CliError::new(
                    Kind::Authorization,
                    "the password on standard input is empty",
                );
                return Err(error.hint("secrets are empty in runs for pull requests from forks"));
            }
            Some((username.clone(), SecretString::from(password)))
        }
        _ => None,
    };
    let sources = Sources {
        environment,
        given,
        username: arguments.username.as_deref(),
        sole_registry,
    };
    let mut found = Found::new();
    for reference in references {
        let host = reference.resolve_registry();
        if found.contains_key(host) {
            continue;
        }
        let profile = settings::profile_of(arguments, reference);
        let Search {
            found: credential,
            notices,
        } = sources.search(host, profile);
        for notice in notices {
            printer.notice(&format!("notice: {notice}"));
        }
        match &credential {
            Some(credential) => {
                printer.hide(credential.secrets());
                printer.notice(&credential.announcement(host));
                if arguments.plain_http && !settings::is_loopback(host) {
                    printer.notice(&format!(
                        "notice: it goes to {host} over HTTP, where everybody on the way can read it"
                    ));
                }
            }
            None if profile == Profile::Ghcr => return Err(no_credential(host)),
            None => printer.notice(&format!(
                "no credential for {host} was found; pushing without"
            )),
        }
        found.insert(host.to_owned(), credential);
    }
    Ok(found)
}

/// ghcr.io takes no push from nobody; there is no need to ask it.
fn no_credential(host: &str) -> CliError {
    CliError::new(Kind::Authorization, format!("no credential for {host} was found (credential-missing)"))
        .hint(format!(
            "looked at --password-stdin, GHCR_PUSH_TOKEN, docker's config.json and GITHUB_TOKEN.\n\
             In a workflow, give the step the token:\n\n    \
             env:\n      GITHUB_TOKEN: ${{{{ secrets.GITHUB_TOKEN }}}}\n\n\
             By hand: gh auth token | ghcr-push --username USER --password-stdin ..., with a token that has the\n\
             scope write:packages (gh auth refresh -h {} -s write:packages)",
            github::web_host(host)
        ))
}

/// Gives the engine what was found.
pub(crate) struct FoundKeychain(pub(crate) Found);

impl Keychain for FoundKeychain {
    fn credentials<'a>(
        &'a self,
        host: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Option<Credentials>> + Send + 'a>> {
        let found = self.0.get(host).cloned().flatten();
        Box::pin(std::future::ready(found.map(|found| found.credentials)))
    }
}
