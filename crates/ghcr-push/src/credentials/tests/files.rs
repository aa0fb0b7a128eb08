//! Files of logins: where they are, for which repository, and who else can read them.

use super::{Desk, logins, place};
use crate::credentials::Place;

/// Docker's directory and buildx's can be elsewhere.
#[test]
fn directories() {
    let mut desk = Desk::new();
    let docker = desk.path("d").display().to_string();
    let buildx = desk.path("b").display().to_string();
    desk.set("DOCKER_CONFIG", &docker)
        .log_in("d/config.json", "other.io", "p")
        .log_in(
            "d/buildx/config/ghcr.io/config.json",
            "ghcr.io",
            "p-default",
        );
    let found = |desk: &Desk| desk.found(&desk.search(), "ghcr.io");
    assert!(found(&desk).ends_with("= p-default"), "{}", found(&desk));
    desk.set("BUILDX_CONFIG", &buildx)
        .log_in("b/config/ghcr.io/config.json", "ghcr.io", "p-host")
        .log_in(
            "b/config/ghcr.io@pull,push/config.json",
            "ghcr.io",
            "p-actions",
        )
        .log_in("b/config/ghcr.io@pull/config.json", "ghcr.io", "p-pull");
    assert!(found(&desk).ends_with("= p-actions"), "{}", found(&desk));
    desk.log_in("b/config/ghcr.io/owner/app/config.json", "ghcr.io", "p-app");
    assert!(found(&desk).ends_with("= p-app"), "{}", found(&desk));
    // The one for the repository may hold nothing for its host.
    desk.log_in("b/config/ghcr.io/owner/app/config.json", "other.io", "p");
    assert!(found(&desk).ends_with("= p-actions"), "{}", found(&desk));
}

/// Repositories of one host may have credentials of their own.
#[test]
fn by_repository() {
    let mut desk = Desk::new();
    let entries = [
        ("registry.example/a/x", "p-x"),
        ("registry.example/a", "p-a"),
        ("registry.example", "p-all"),
    ];
    desk.write(".config/containers/auth.json", &logins(&entries));
    for (repository, expected) in [
        (
            "a/x",
            "credential for registry.example/a/x: ~/.config/containers/auth.json, entry \"registry.example/a/x\" (kind not recognised), user name u = p-x",
        ),
        (
            "a/y",
            "credential for registry.example/a: ~/.config/containers/auth.json, entry \"registry.example/a\" (kind not recognised), user name u = p-a",
        ),
        (
            "b",
            "credential for registry.example: ~/.config/containers/auth.json (kind not recognised), user name u = p-all",
        ),
    ] {
        let place = Place {
            repository,
            ..place("registry.example")
        };
        let search = desk.sources().search(&place);
        assert_eq!(desk.found(&search, "registry.example"), expected);
    }
}

#[test]
fn an_identity_token() {
    let mut desk = Desk::new();
    desk.write(
        ".docker/config.json",
        r#"{"auths":{"registry.example":{"auth":"dTo=","identitytoken":"t-1"}}}"#,
    );
    let search = desk.sources().search(&place("registry.example"));
    assert_eq!(
        desk.found(&search, "registry.example"),
        "credential for registry.example: ~/.docker/config.json (identity token) = t-1"
    );
}

/// Asked again, a file tells what it holds now; what was found stays if it holds nothing.
#[test]
fn again() {
    let mut desk = Desk::new();
    let file = ".docker/config.json";
    desk.log_in(file, "ghcr.io", "p-1");
    let sources = desk.sources();
    let origin = sources.search(&place("ghcr.io")).found;
    let origin = origin.expect("a credential").origin;
    desk.log_in(file, "ghcr.io", "p-2");
    let renewed = sources.again(origin, &place("ghcr.io"));
    assert_eq!(renewed.expect("a credential").secrets()[0], "p-2");
    desk.log_in(file, "other.io", "p-3");
    assert!(sources.again(origin, &place("ghcr.io")).is_none());
}

#[cfg(unix)]
#[test]
fn a_file_that_everybody_can_read_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut desk = Desk::new();
    desk.log_in("open/config.json", "ghcr.io", "p");
    let directory = desk.path("open");
    desk.set("DOCKER_CONFIG", &directory.display().to_string());
    for (of_directory, of_file, is_told) in [
        (0o755, 0o644, true),
        (0o755, 0o600, false),
        (0o755, 0o640, false),
        (0o700, 0o644, false),
    ] {
        let set = |path: &std::path::Path, mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(path, permissions).expect("it is ours");
        };
        set(&directory, of_directory);
        set(&directory.join("config.json"), of_file);
        let notices = desk.search().notices;
        assert_eq!(notices.len(), usize::from(is_told), "{notices:?}");
        if is_told {
            assert_eq!(
                desk.stable(&notices[0]),
                "~/open/config.json can be read by everybody on this machine; chmod 600 ~/open/config.json"
            );
        }
    }
}
