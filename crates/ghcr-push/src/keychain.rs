//! The credentials of one run: looked up once for every repository named, announced, and given to the
//! engine.

mod absent;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ghcr_diagnosis::Context;
use oci_push::{Credentials, Keychain, Profile, Reference};
use secrecy::{ExposeSecret as _, SecretString};

use crate::args::Arguments;
use crate::args::credentials::CredentialSource;
use crate::credentials::{FoundCredential, Looked, Place, Search, Sources, forms, is_same};
use crate::env::{Environment, password_from_stdin};
use crate::error::{CliError, Kind};
use crate::output::Printer;
use crate::settings;

/// What was found for every repository named.
#[derive(Clone)]
pub(crate) struct Found {
    /// By host and repository.
    searches: BTreeMap<(String, String), (Profile, Search)>,
    sources: Arc<Sources>,
}

impl Found {
    fn search(&self, reference: &Reference) -> Option<&Search> {
        let (_, search) = self.searches.get(&key(reference))?;
        Some(search)
    }

    /// The credential for a repository.
    pub(crate) fn of(&self, reference: &Reference) -> Option<&FoundCredential> {
        self.search(reference)?.found.as_ref()
    }

    /// The variables that should hold a credential for a repository, and are set, but empty.
    pub(crate) fn empty_variables(&self, reference: &Reference) -> &[String] {
        self.search(reference)
            .map_or(&[], |search| &search.empty_variables)
    }

    /// Adds to a diagnosis's facts what is known of the credential and of the search for it.
    pub(crate) fn tell(&self, reference: &Reference, context: &mut Context) {
        if let Some(search) = self.search(reference) {
            add_facts(search, context);
        }
    }
}

fn add_facts(search: &Search, context: &mut Context) {
    let facts = |found: &FoundCredential| found.facts.clone();
    context.credential = search.found.as_ref().map(facts).into();
    context.shadowed = search.shadowed.iter().map(facts).collect();
    context.empty_variables = search.empty_variables.clone();
    context.source_problems = search.problems.clone();
    context.searched = grouped(&search.looked)
        .into_iter()
        .map(|(places, outcome)| format!("{places} ({outcome})"))
        .collect();
}

fn key(reference: &Reference) -> (String, String) {
    let host = reference.resolve_registry().to_owned();
    (host, reference.repository().to_owned())
}

/// Finds the credentials for all of `references`, and tells which they are.
///
/// # Errors
///
/// If the options contradict each other or name nothing that can be read, and if there is no credential where one is
/// needed.
pub(crate) fn find_credentials(
    arguments: &Arguments,
    environment: &Environment,
    references: &[Reference],
    printer: &Printer,
) -> Result<Found, CliError> {
    let sources = sources(arguments, environment, references)?;
    let mut found = Found {
        searches: BTreeMap::new(),
        sources: Arc::new(sources),
    };
    let mut told = BTreeSet::new();
    let mut odd = BTreeSet::new();
    let mut tell = |line: String| {
        if told.insert(line.clone()) {
            printer.notice(&line);
        }
    };
    let mut warn = |text: &str| {
        if odd.insert(text.to_owned()) {
            printer.oddity("credentials", text);
        }
    };
    for reference in references {
        if found.search(reference).is_some() {
            continue;
        }
        let host = reference.resolve_registry();
        let profile = settings::profile_of(arguments, reference);
        let place = Place {
            host,
            repository: reference.repository(),
            profile,
        };
        let search = found.sources.search(&place);
        let all = search.found.iter().chain(&search.shadowed);
        all.for_each(|credential| printer.hide(credential.secrets()));
        for (places, outcome) in grouped(&search.looked) {
            tracing::debug!("no credential for {host}: {places}: {outcome}");
        }
        for notice in &search.notices {
            warn(notice);
        }
        match &search.found {
            Some(credential) => {
                tell(credential.announcement(host));
                for passed_over in &search.shadowed {
                    tracing::debug!("passed over: {}", passed_over.announcement(host));
                }
                if arguments.plain_http && !settings::is_loopback(host) {
                    warn(&format!(
                        "it goes to {host} over HTTP, where everybody on the way can read it"
                    ));
                }
            }
            None if found.sources.forced.is_some() || profile == Profile::Ghcr => {
                return Err(absent::failure(reference, profile, &search, &found.sources));
            }
            None => tell(format!(
                "no credential for {host} was found; going on without"
            )),
        }
        if let Some(unused) = unused_username(arguments, environment, search.found.as_ref()) {
            tell(unused);
        }
        found.searches.insert(key(reference), (profile, search));
    }
    Ok(found)
}

/// What to say of a user name that this run is given and that does not go with its credential. As a variable it is for
/// all runs, and may be another's.
fn unused_username(
    arguments: &Arguments,
    environment: &Environment,
    credential: Option<&FoundCredential>,
) -> Option<String> {
    let username = arguments.username.as_deref()?;
    let is_variable = environment.get("GHCR_PUSH_USERNAME") == Some(username);
    let why = match credential {
        _ if is_variable => return None,
        Some(credential) if credential.credentials.username == username => return None,
        Some(credential) => format!("{} has a user name of its own", credential.facts.source),
        None => "it goes with a password or a token, and none is given".to_owned(),
    };
    Some(format!("notice: --username {username} is not used: {why}"))
}

/// What the command line says of credentials.
fn sources(
    arguments: &Arguments,
    environment: &Environment,
    references: &[Reference],
) -> Result<Sources, CliError> {
    let first = references.first().map(Reference::resolve_registry);
    let sole_registry = references
        .iter()
        .all(|reference| Some(reference.resolve_registry()) == first);
    if arguments.password_stdin && !sole_registry {
        return Err(CliError::usage(
            "--password-stdin gives one password, but several registries are named",
        ));
    }
    let forced = arguments.credentials.credential_source;
    if arguments.password_stdin && forced.is_some_and(|source| source != CredentialSource::Stdin) {
        return Err(CliError::usage(
            "--password-stdin gives a credential, but --credential-source names another source",
        ));
    }
    let given = match (&arguments.username, arguments.password_stdin) {
        (Some(username), true) => {
            let password = password(environment).map_err(|error| match references.first() {
                Some(reference) if error.kind == Kind::Authorization => {
                    absent::explained(error, reference, arguments, environment)
                }
                _ => error,
            })?;
            Some((username.clone(), password))
        }
        _ => None,
    };
    let authfile = arguments.credentials.authfile.clone();
    if let Some(path) = &authfile
        && let Err(error) = check_authfile(path)
    {
        let message = format!("--authfile: {} cannot be read", path.display());
        return Err(CliError::usage(message).caused_by(&error));
    }
    let mut sources = Sources::new(environment.clone());
    sources.given = given;
    sources.username = arguments.username.clone();
    sources.authfile = authfile;
    sources.forced = forced;
    sources.sole_registry = sole_registry;
    Ok(sources)
}

/// Whether the file that the user names can be read. A pipe is not opened for that: it would be over then.
fn check_authfile(path: &Path) -> io::Result<()> {
    let metadata = path.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if metadata.is_file() {
        File::open(path)?;
    }
    Ok(())
}

/// The password on standard input, but not from a terminal: that would show it while it is typed.
fn password(environment: &Environment) -> Result<SecretString, CliError> {
    if environment.stdin_is_terminal {
        let error = CliError::usage("standard input is a terminal, which would show the password");
        return Err(error.hint(
            "pipe it in: gh auth token | ghcr-push --username NAME --password-stdin ..., or give it in GHCR_PUSH_TOKEN",
        ));
    }
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
    Ok(SecretString::from(password))
}

/// Places with one outcome that follow one another, together.
fn grouped(looked: &[Looked]) -> Vec<(String, String)> {
    let mut groups: Vec<(String, String)> = Vec::new();
    for Looked { place, outcome } in looked {
        match groups.last_mut() {
            Some((places, same)) if same == outcome => {
                places.push_str(", ");
                places.push_str(place);
            }
            _ => groups.push((place.clone(), outcome.clone())),
        }
    }
    groups
}

/// Gives the engine what was found, and asks its source again whenever the engine asks again: the token that it
/// fetched with it has ended, or the credential was refused.
pub(crate) struct FoundKeychain {
    found: Found,
    /// What was given out last, by host and repository.
    given: Mutex<BTreeMap<(String, String), FoundCredential>>,
    printer: Arc<Printer>,
}

impl FoundKeychain {
    pub(crate) fn new(found: Found, printer: Arc<Printer>) -> Self {
        Self {
            found,
            given: Mutex::default(),
            printer,
        }
    }

    async fn present(&self, key: (String, String)) -> Option<Credentials> {
        let Some((profile, search)) = self.found.searches.get(&key) else {
            return self.of_another(key).await;
        };
        let found = search.found.clone()?;
        let last = self.given().get(&key).cloned();
        let newest = match &last {
            Some(last) => self.again(&key, *profile, last).await,
            None => None,
        };
        let last = last.unwrap_or(found);
        let newest = newest.unwrap_or_else(|| last.clone());
        if !is_same(&newest, &last) {
            self.printer.hide(newest.secrets());
            let source = &newest.facts.source;
            let line = format!("notice: {source}: the credential has changed, the new one is used");
            self.printer.notice(&line);
        }
        let credentials = newest.credentials.clone();
        self.given().insert(key, newest);
        Some(credentials)
    }

    fn given(&self) -> MutexGuard<'_, BTreeMap<(String, String), FoundCredential>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the source of `last` holds now. Reads files, and may run a program.
    async fn again(
        &self,
        key: &(String, String),
        profile: Profile,
        last: &FoundCredential,
    ) -> Option<FoundCredential> {
        let (sources, origin) = (Arc::clone(&self.found.sources), last.origin);
        let (host, repository) = key.clone();
        let asked = tokio::task::spawn_blocking(move || {
            let place = Place {
                host: &host,
                repository: &repository,
                profile,
            };
            sources.again(origin, &place)
        });
        asked.await.ok().flatten()
    }
}

impl FoundKeychain {
    /// The credential for a repository that is not pushed to, such as one to mount from. Nothing is looked up for a
    /// host that nothing is pushed to.
    async fn of_another(&self, key: (String, String)) -> Option<Credentials> {
        let mut known = self.found.searches.iter();
        let (_, (profile, _)) = known.find(|((host, _), _)| *host == key.0)?;
        let (sources, profile) = (Arc::clone(&self.found.sources), *profile);
        let search = tokio::task::spawn_blocking(move || {
            let (host, repository) = &key;
            sources.search(&Place {
                host,
                repository,
                profile,
            })
        });
        let found = search.await.ok()?.found?;
        self.printer.hide(found.secrets());
        Some(found.credentials)
    }
}

impl Keychain for FoundKeychain {
    fn credentials<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<Credentials>> + Send + 'a>> {
        let mut keys = self.found.searches.keys();
        let key = keys.find(|(known, _)| known == host).cloned();
        Box::pin(async move { self.present(key?).await })
    }

    fn credentials_for<'a>(
        &'a self,
        host: &'a str,
        repository: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<Credentials>> + Send + 'a>> {
        Box::pin(self.present((host.to_owned(), repository.to_owned())))
    }

    fn issued(&self, token: &SecretString) {
        self.printer.hide(forms(token.expose_secret()));
    }
}

#[cfg(test)]
mod tests;
