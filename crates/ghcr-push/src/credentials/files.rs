//! Where the files with credentials are, and how they are read.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;

use super::Place;
use crate::env::Environment;

/// No file of this kind is longer; what is, is another file.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;

/// Docker's directory (<https://docs.docker.com/reference/cli/docker/#environment-variables>).
fn docker_directory(environment: &Environment) -> Option<PathBuf> {
    match environment.filled("DOCKER_CONFIG") {
        Some(directory) => Some(PathBuf::from(directory)),
        None => environment.home().map(|home| home.join(".docker")),
    }
}

/// Docker's own file.
pub(super) fn docker_config(environment: &Environment) -> Option<PathBuf> {
    docker_directory(environment).map(|directory| directory.join("config.json"))
}

/// Where buildx keeps the logins of docker/login-action's `scope`: one directory for each, called
/// `HOST[/REPOSITORY][@ACTION,...]`
/// (<https://github.com/docker/buildx/blob/master/util/dockerutil/dockerconfig/configprovider.go>).
pub(super) fn buildx_directory(environment: &Environment) -> Option<PathBuf> {
    let directory = match environment.filled("BUILDX_CONFIG") {
        Some(directory) => PathBuf::from(directory),
        None => docker_directory(environment)?.join("buildx"),
    };
    Some(directory.join("config"))
}

/// The logins in `directory` that are meant for pushing to `place`: the repository's before the host's, those for
/// named actions before those for all.
pub(super) fn buildx_configs(directory: &Path, place: &Place<'_>) -> Vec<PathBuf> {
    let repository = format!("{}/{}", place.host, place.repository);
    let mut found = Vec::new();
    for wanted in [repository.as_str(), place.host] {
        let (parent, name) = match wanted.rsplit_once('/') {
            Some((parent, name)) => (directory.join(parent), name),
            None => (directory.to_owned(), wanted),
        };
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let mut logins: Vec<(usize, PathBuf)> = entries
            .filter_map(|entry| {
                let count = actions(entry.file_name().to_str()?, name)?;
                Some((count, entry.path().join("config.json")))
            })
            .filter(|(_, path)| path.is_file())
            .collect();
        logins.sort_by(|(more, one), (less, other)| less.cmp(more).then(one.cmp(other)));
        found.extend(logins.into_iter().map(|(_, path)| path));
    }
    found
}

/// How many actions the directory `entry` is limited to, `None` if it is not called `name` or its actions are
/// not those of a push.
fn actions(entry: &str, name: &str) -> Option<usize> {
    let (main, actions) = entry.split_once('@').unwrap_or((entry, ""));
    if main != name {
        return None;
    }
    let actions: Vec<&str> = actions
        .split(',')
        .map(str::trim)
        .filter(|action| !action.is_empty())
        .collect();
    let are_known = actions
        .iter()
        .all(|action| matches!(*action, "pull" | "push"));
    let is_for_push = actions.is_empty() || actions.contains(&"push");
    (are_known && is_for_push).then_some(actions.len())
}

/// Podman's files, in its order
/// (<https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md>).
pub(super) fn podman_files(environment: &Environment) -> Vec<PathBuf> {
    const FILE: &str = "containers/auth.json";
    let runtime = match environment.filled("XDG_RUNTIME_DIR") {
        Some(directory) => Some(Path::new(directory).join(FILE)),
        // Where podman puts it for a user without a session, root above all.
        None => environment
            .user
            .map(|user| PathBuf::from(format!("/run/containers/{user}/auth.json"))),
    };
    let configuration = match environment.filled("XDG_CONFIG_HOME") {
        Some(directory) => Some(PathBuf::from(directory)),
        None => environment.home().map(|home| home.join(".config")),
    };
    let configuration = configuration.map(|directory| directory.join(FILE));
    runtime.into_iter().chain(configuration).collect()
}

/// The contents of a file, `None` if there is none.
///
/// # Errors
///
/// If it cannot be read, or is far too long.
pub(super) fn read(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len().min(FILE_LIMIT);
    // With room for all of it, no copy is left behind where it grew.
    let room = usize::try_from(length).unwrap_or_default() + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    file.take(FILE_LIMIT + 1).read_to_end(&mut text)?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(io::Error::other("it is far too long for a file of logins"));
    }
    Ok(Some(text))
}

/// Whether everybody on this machine may read a file, as far as the file and its directory tell.
#[cfg(unix)]
pub(super) fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let has = |path: &Path, bit: u32| {
        let metadata = fs::metadata(path);
        metadata.is_ok_and(|metadata| metadata.permissions().mode() & bit != 0)
    };
    path.is_file() && has(path, 0o004) && path.parent().is_none_or(|parent| has(parent, 0o001))
}

/// Permissions elsewhere are no bits.
#[cfg(not(unix))]
pub(super) fn is_open_to_all(_path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_of_a_directory() {
        for (entry, name, expected) in [
            ("app", "app", Some(0)),
            ("app@push", "app", Some(1)),
            ("app@pull,push", "app", Some(2)),
            ("app@ push , pull", "app", Some(2)),
            ("app@", "app", Some(0)),
            ("app@pull", "app", None),
            ("app@delete,push", "app", None),
            ("apps", "app", None),
            ("ghcr.io@push", "ghcr.io", Some(1)),
        ] {
            assert_eq!(actions(entry, name), expected, "{entry}");
        }
    }

    #[test]
    fn podmans_places() {
        let paths = |variables: &[(&str, &str)], user| {
            let mut environment = Environment::of(variables);
            environment.user = user;
            let paths = podman_files(&environment);
            let paths = paths.iter().map(|path| path.display().to_string());
            paths.collect::<Vec<_>>().join(" ")
        };
        let home = ("HOME", "/home/u");
        assert_eq!(
            paths(&[home, ("XDG_RUNTIME_DIR", "/run/user/7")], Some(7)),
            "/run/user/7/containers/auth.json /home/u/.config/containers/auth.json"
        );
        assert_eq!(
            paths(&[home], Some(0)),
            "/run/containers/0/auth.json /home/u/.config/containers/auth.json"
        );
        assert_eq!(
            paths(&[home, ("XDG_CONFIG_HOME", "/c")], None),
            "/c/containers/auth.json"
        );
        assert_eq!(paths(&[], None), "");
    }
}
