mod files;
#[cfg(unix)]
mod programs;
mod sources;

use std::fs;
use std::path::Path;

use oci_push::Profile;
use secrecy::ExposeSecret as _;

use super::{Place, Search, Sources};
use crate::env::Environment;

/// What a registry may make of a secret when it quotes it.
#[test]
fn forms_of_a_secret() {
    let found = super::FoundCredential::new(
        crate::args::credentials::CredentialSource::Stdin,
        "--password-stdin".to_owned(),
        "u".to_owned(),
        "a\"b\u{3e}\u{3f}x~~".into(),
    );
    let secrets = found.secrets();
    for form in [
        "a\"b>?x~~",
        "a\\\"b>?x~~",
        "YSJiPj94fn4=",
        "YSJiPj94fn4",
        "dTphImI+P3h+fg==",
        "dTphImI+P3h+fg",
        "dTphImI-P3h-fg==",
        "dTphImI-P3h-fg",
    ] {
        assert!(secrets.iter().any(|secret| secret == form), "{form}");
    }
}

/// A home directory, and what the environment says.
struct Desk {
    home: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Desk {
    /// A desk without a credential.
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut desk = Self {
            home,
            variables: Vec::new(),
        };
        let path = desk.path("").display().to_string();
        desk.set("HOME", &path);
        desk
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn write(&mut self, name: &str, text: &str) -> &mut Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a directory");
        fs::write(&path, text).expect("a file");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        }
        self
    }

    /// A file with one login, whose user is `u`.
    fn log_in(&mut self, name: &str, key: &str, password: &str) -> &mut Self {
        let text = logins(&[(key, password)]);
        self.write(name, &text)
    }

    fn sources(&self) -> Sources {
        let variables: Vec<(&str, &str)> = self
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Sources::new(Environment::of(&variables))
    }

    fn search(&self) -> Search {
        self.sources().search(&place("ghcr.io"))
    }

    /// Text with the home directory's name taken out.
    fn stable(&self, text: &str) -> String {
        text.replace(&self.home.path().display().to_string(), "~")
    }

    /// Which credential a search found, with its secret.
    fn found(&self, search: &Search, host: &str) -> String {
        search.found.as_ref().map_or_else(
            || "none".to_owned(),
            |found| {
                let line = self.stable(&found.announcement(host));
                format!("{line} = {}", found.credentials.password.expose_secret())
            },
        )
    }

    fn looked(&self, search: &Search) -> Vec<String> {
        let looked = search.looked.iter();
        looked
            .map(|looked| self.stable(&format!("{}: {}", looked.place, looked.outcome)))
            .collect()
    }
}

fn logins(entries: &[(&str, &str)]) -> String {
    let auths: serde_json::Map<String, serde_json::Value> = entries
        .iter()
        .map(|(key, password)| {
            let entry = serde_json::json!({ "username": "u", "password": password });
            ((*key).to_owned(), entry)
        })
        .collect();
    serde_json::json!({ "auths": auths }).to_string()
}

/// `owner/app` at `host`.
fn place(host: &str) -> Place<'_> {
    Place {
        host,
        repository: "owner/app",
        profile: Profile::of_host(host),
    }
}
