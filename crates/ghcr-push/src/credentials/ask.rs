//! How each source is asked.

mod programs;

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::sync::PoisonError;

use oci_push::Profile;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use super::{FoundCredential, Notes, Place, Sources, auth_file, files, github};
use crate::args::credentials::CredentialSource;

/// GitHub takes any user name beside a token; this is the conventional one for tokens of no person.
const TOKEN_USER: &str = "x-access-token";

/// A text that may hold logins.
struct Document<'a> {
    source: CredentialSource,
    /// What it is called.
    label: &'a str,
    /// Where it is, if it is a file.
    path: Option<&'a Path>,
}

impl Sources {
    /// What one source has for `place`.
    pub(super) fn ask(
        &self,
        source: CredentialSource,
        place: &Place<'_>,
        notes: &mut Notes,
    ) -> Option<FoundCredential> {
        match source {
            CredentialSource::Stdin => self.stdin(notes),
            CredentialSource::OwnVariable => self.own_variable(place, notes),
            CredentialSource::DockerAuthConfig => self.docker_auth_config(place, notes),
            CredentialSource::Authfile => self.authfile(place, notes),
            CredentialSource::Docker => {
                let path = files::docker_config(&self.environment)?;
                self.file(source, &path, &path.display().to_string(), place, notes)
            }
            CredentialSource::Buildx => self.buildx(place, notes),
            CredentialSource::Podman => self.podman(place, notes),
            CredentialSource::GhToken
            | CredentialSource::GithubToken
            | CredentialSource::CrPat
            | CredentialSource::GhEnterpriseToken
            | CredentialSource::GithubEnterpriseToken => self.github_variable(source, place, notes),
            CredentialSource::Gh => self.gh(place, notes),
        }
    }

    fn stdin(&self, notes: &mut Notes) -> Option<FoundCredential> {
        const OPTION: &str = "--password-stdin";
        let Some((username, password)) = self.given.clone() else {
            notes.looked(OPTION, "not given");
            return None;
        };
        let source = CredentialSource::Stdin;
        Some(FoundCredential::new(
            source,
            OPTION.to_owned(),
            username,
            password,
        ))
    }

    /// The tool's own variable names no host: with several registries it goes to GitHub's only.
    fn own_variable(&self, place: &Place<'_>, notes: &mut Notes) -> Option<FoundCredential> {
        let source = CredentialSource::OwnVariable;
        if !self.sole_registry && place.profile != Profile::Ghcr {
            notes.looked(
                source.name(),
                "with several registries it is for GitHub's only",
            );
            return None;
        }
        self.token(source, notes)
    }

    /// A token that a variable holds, with the name that goes with tokens.
    fn token(&self, source: CredentialSource, notes: &mut Notes) -> Option<FoundCredential> {
        let name = source.name();
        let token = self.variable(&name, notes)?;
        Some(FoundCredential::new(source, name, self.user(), token))
    }

    /// Whose a token without a name is.
    fn user(&self) -> String {
        let actor = self.environment.filled("GITHUB_ACTOR");
        let user = self.username.as_deref().or(actor);
        user.unwrap_or(TOKEN_USER).to_owned()
    }

    /// A variable's value.
    fn variable(&self, name: &str, notes: &mut Notes) -> Option<SecretString> {
        let Some(value) = self.environment.get(name).map(str::trim) else {
            notes.looked(name, "not set");
            return None;
        };
        if value.is_empty() {
            notes.looked(name, "set, but empty");
            notes.empty(name);
            return None;
        }
        Some(SecretString::from(value))
    }

    fn docker_auth_config(&self, place: &Place<'_>, notes: &mut Notes) -> Option<FoundCredential> {
        let source = CredentialSource::DockerAuthConfig;
        let name = source.name();
        let text = self.variable(&name, notes)?;
        let document = Document {
            source,
            label: &name,
            path: None,
        };
        self.text(&document, text.expose_secret().as_bytes(), place, notes)
    }

    fn authfile(&self, place: &Place<'_>, notes: &mut Notes) -> Option<FoundCredential> {
        let source = CredentialSource::Authfile;
        if let Some(path) = &self.authfile {
            let label = format!("--authfile {}", path.display());
            return self.file(source, path, &label, place, notes);
        }
        let Some(path) = self.environment.filled("REGISTRY_AUTH_FILE") else {
            notes.looked("--authfile, REGISTRY_AUTH_FILE", "not given");
            return None;
        };
        let label = format!("REGISTRY_AUTH_FILE {path}");
        if !Path::new(path).exists() {
            let notice = format!("REGISTRY_AUTH_FILE names {path}, which does not exist");
            notes.notices.push(notice);
        }
        self.file(source, Path::new(path), &label, place, notes)
    }

    fn buildx(&self, place: &Place<'_>, notes: &mut Notes) -> Option<FoundCredential> {
        let directory = files::buildx_directory(&self.environment)?;
        let paths = files::buildx_configs(&directory, place);
        if paths.is_empty() {
            let label = directory.display().to_string();
            notes.looked(label, "no login of buildx for this repository");
        }
        paths.iter().find_map(|path| {
            let label = path.display().to_string();
            self.file(CredentialSource::Buildx, path, &label, place, notes)
        })
    }

    fn podman(&self, place: &Place<'_>, notes: &mut Notes) -> Option<FoundCredential> {
        let paths = files::podman_files(&self.environment);
        paths.iter().find_map(|path| {
            let label = path.display().to_string();
            self.file(CredentialSource::Podman, path, &label, place, notes)
        })
    }

    fn file(
        &self,
        source: CredentialSource,
        path: &Path,
        label: &str,
        place: &Place<'_>,
        notes: &mut Notes,
    ) -> Option<FoundCredential> {
        let text = match self.contents(path, notes.may_run) {
            Ok(Some(text)) => text,
            Ok(None) => {
                notes.looked(label, "no such file");
                return None;
            }
            Err(error) => {
                notes.looked(label, "not readable");
                let notice = format!("{label} cannot be read: {error}");
                notes.problems.push(notice.clone());
                notes.notices.push(notice);
                return None;
            }
        };
        let document = Document {
            source,
            label,
            path: Some(path),
        };
        self.text(&document, &text, place, notes)
    }

    /// What a file holds. A pipe has its contents once only, and several repositories may want it; it is read only
    /// if it is needed, since there may be nobody at its other end.
    fn contents(&self, path: &Path, is_needed: bool) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let is_pipe = |metadata: Metadata| !metadata.is_file() && !metadata.is_dir();
        if !path.metadata().is_ok_and(is_pipe) {
            return files::read(path);
        }
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = pipes.get(path) {
            return Ok(Some(text.clone()));
        }
        if !is_needed {
            return Ok(None);
        }
        let text = files::read(path)?;
        if let Some(text) = &text {
            pipes.insert(path.to_owned(), text.clone());
        }
        Ok(text)
    }

    /// What a file of logins says, or a variable that holds one.
    fn text(
        &self,
        document: &Document<'_>,
        text: &[u8],
        place: &Place<'_>,
        notes: &mut Notes,
    ) -> Option<FoundCredential> {
        let label = document.label;
        let passed_over = |problem: String, notes: &mut Notes| {
            notes
                .notices
                .push(format!("{label} was passed over: {problem}"));
            notes.passed_over(label, problem);
        };
        let entry = match auth_file::entry(text, place.host, place.repository) {
            Ok(entry) => entry,
            Err(problem) => {
                passed_over(problem, notes);
                return None;
            }
        };
        if let Some(name) = &entry.helper
            && let Some(found) = self.helper(document, name, place, notes)
        {
            return Some(found);
        }
        match entry.login {
            Ok(Some(login)) => {
                let of_entry = if login.key == place.host {
                    label.to_owned()
                } else {
                    format!("{label}, entry {:?}", login.key)
                };
                let mut found =
                    FoundCredential::new(document.source, of_entry, login.username, login.password);
                found.part = login.is_of_part.then_some(login.key);
                if let Some(path) = document.path.filter(|path| files::is_open_to_all(path)) {
                    let path = path.display();
                    notes.notices.push(format!(
                        "{path} can be read by everybody on this machine; chmod 600 {path}"
                    ));
                }
                Some(found)
            }
            Ok(None) => {
                notes.looked(label, format!("nothing for {}", place.host));
                None
            }
            Err(problem) => {
                passed_over(problem, notes);
                None
            }
        }
    }

    /// A token for GitHub goes to the registry of its own site only, whatever `--registry-profile` says.
    fn github_variable(
        &self,
        source: CredentialSource,
        place: &Place<'_>,
        notes: &mut Notes,
    ) -> Option<FoundCredential> {
        let name = source.name();
        let site = match site(place) {
            Ok(site) => site,
            Err(objection) => {
                notes.looked(name, objection);
                return None;
            }
        };
        let Some(objection) = github::objection(source, &site, &self.environment) else {
            return self.token(source, notes);
        };
        let is_set = self.environment.filled(&name).is_some();
        // The names for servers are no news at github.com.
        let is_news = site.is_server || source == CredentialSource::GithubToken;
        if is_set && is_news {
            notes
                .notices
                .push(format!("{name} was passed over: {objection}"));
        }
        if is_news || self.forced.is_some() {
            let outcome = if is_set { &objection } else { "not set" };
            notes.looked(name, outcome);
        }
        None
    }
}

/// The site whose tokens `place` takes, or why it takes none.
fn site(place: &Place<'_>) -> Result<github::Site, String> {
    github::site(place.host)
        .filter(|site| site.is_server || place.profile == Profile::Ghcr)
        .ok_or_else(|| format!("{} is not a registry of GitHub's", place.host))
}
