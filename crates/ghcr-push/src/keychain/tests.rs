use std::path::Path;

use secrecy::ExposeSecret as _;

use super::*;
use crate::settings::Display;

fn write(path: &Path, entries: &[(&str, &str)]) {
    let auths: BTreeMap<&str, serde_json::Value> = entries
        .iter()
        .map(|(key, password)| {
            let entry = serde_json::json!({ "username": "u", "password": password });
            (*key, entry)
        })
        .collect();
    let text = serde_json::json!({ "auths": auths }).to_string();
    std::fs::write(path, text).expect("it can be written");
}

/// Repositories of a host have their own, also those that are not pushed to; another host has none.
#[tokio::test]
async fn what_the_engine_is_given() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("config.json");
    let app = ("registry.example/owner/app", "p-app");
    let all = ("registry.example", "p-all");
    let other = ("other.example", "p-other");
    write(&file, &[app, all, other]);
    let path = directory.path().display().to_string();
    let environment = Environment::of(&[("DOCKER_CONFIG", &path)]);
    let sources = Arc::new(Sources::new(environment));
    let place = Place {
        host: "registry.example",
        repository: "owner/app",
        profile: Profile::Specification,
    };
    let search = sources.search(&place);
    let key = (place.host.to_owned(), place.repository.to_owned());
    let found = Found {
        searches: BTreeMap::from([(key, (place.profile, search))]),
        sources,
    };
    let printer = Arc::new(Printer::new(Display::Nothing, true));
    let keychain = FoundKeychain::new(found, printer);
    let given = async |host: &str, repository: &str| {
        let credentials = keychain.credentials_for(host, repository).await;
        credentials.map(|given| given.password.expose_secret().to_owned())
    };
    let password = |text: &str| Some(text.to_owned());
    assert_eq!(
        given("registry.example", "owner/app").await,
        password("p-app")
    );
    assert_eq!(
        given("registry.example", "owner/base").await,
        password("p-all")
    );
    assert_eq!(given("other.example", "owner/app").await, None);
    // Asked again, it is what the file holds now, and what it held last if it holds nothing.
    write(&file, &[("registry.example/owner/app", "p-new")]);
    assert_eq!(
        given("registry.example", "owner/app").await,
        password("p-new")
    );
    std::fs::remove_file(&file).expect("it was written");
    assert_eq!(
        given("registry.example", "owner/app").await,
        password("p-new")
    );
    let of_host = keychain.credentials("registry.example").await;
    assert_eq!(of_host.expect("a credential").username, "u");
}

/// What is typed on a terminal can be read there. The pipe of the tests is no terminal, and is not read here.
#[test]
fn a_password_is_not_typed() {
    let mut environment = Environment::of(&[]);
    environment.stdin_is_terminal = true;
    let error = password(&environment).expect_err("a terminal is refused");
    assert_eq!(error.kind, Kind::Usage);
    let hint = error.hint.unwrap_or_default();
    assert!(hint.contains("gh auth token | ghcr-push"), "{hint}");
    assert!(hint.contains("GHCR_PUSH_TOKEN"), "{hint}");
}
