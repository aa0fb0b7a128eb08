//! Whether the commit that is checked out is the one whose workflow runs.
//!
//! A job may have checked out anything; what its workflow's file says there need not be what runs.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::env::Environment;

/// More than any of the files holds that are read here, but for those of repositories with very many references.
const LIMIT: u64 = 1024 * 1024;

/// Whether what is checked out is what runs, `None` if either is not known. Without a repository on disk it is taken to
/// be the commit that the run is for, which is what is checked out where nothing else is asked for
/// (<https://github.com/actions/checkout#usage>).
pub(super) fn is_of_run(environment: &Environment) -> Option<bool> {
    let runs = environment.filled("GITHUB_WORKFLOW_SHA")?;
    let on_disk = environment
        .filled("GITHUB_WORKSPACE")
        .and_then(|workspace| head(&Path::new(workspace).join(".git")));
    let checked_out = on_disk.as_deref().or(environment.filled("GITHUB_SHA"))?;
    Some(checked_out.eq_ignore_ascii_case(runs))
}

/// The commit that `HEAD` names (<https://git-scm.com/docs/gitrepository-layout>).
fn head(directory: &Path) -> Option<String> {
    let head = text(&directory.join("HEAD"))?;
    let Some(reference) = head.trim().strip_prefix("ref: ") else {
        return Some(head.trim().to_owned());
    };
    let is_plain = reference.starts_with("refs/") && !reference.split('/').any(|part| part == "..");
    if !is_plain {
        return None;
    }
    if let Some(commit) = text(&directory.join(reference)) {
        return Some(commit.trim().to_owned());
    }
    let packed = text(&directory.join("packed-refs"))?;
    let mut lines = packed.lines().filter_map(|line| line.split_once(' '));
    let (commit, _) = lines.find(|(_, name)| *name == reference)?;
    Some(commit.to_owned())
}

/// A small file's text.
fn text(path: &Path) -> Option<String> {
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(LIMIT).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: &str = "1111111111111111111111111111111111111111";
    const OTHER: &str = "2222222222222222222222222222222222222222";

    #[test]
    fn commits() {
        let is_of_run = |files: &[(&str, &str)], event: Option<&str>, runs: Option<&str>| {
            let directory = tempfile::tempdir().expect("a directory");
            for (name, text) in files {
                let path = directory.path().join(name);
                let parent = path.parent().expect("it has a parent");
                std::fs::create_dir_all(parent).expect("a directory");
                std::fs::write(path, text).expect("a file");
            }
            let workspace = directory.path().to_str().expect("text").to_owned();
            let mut variables = vec![("GITHUB_WORKSPACE", workspace.as_str())];
            variables.extend(event.map(|event| ("GITHUB_SHA", event)));
            variables.extend(runs.map(|runs| ("GITHUB_WORKFLOW_SHA", runs)));
            is_of_run(&Environment::of(&variables))
        };
        let detached = format!("{RUNS}\n");
        let packed =
            format!("# pack-refs with: peeled\n{OTHER} refs/heads/a\n{RUNS} refs/heads/main\n");
        let branch = (".git/HEAD", "ref: refs/heads/main\n");
        for (files, event, runs, expected) in [
            (
                &[(".git/HEAD", detached.as_str())][..],
                Some(OTHER),
                Some(RUNS),
                Some(true),
            ),
            (&[(".git/HEAD", OTHER)], Some(RUNS), Some(RUNS), Some(false)),
            (
                &[branch, (".git/refs/heads/main", &detached)],
                None,
                Some(RUNS),
                Some(true),
            ),
            (
                &[branch, (".git/packed-refs", &packed)],
                None,
                Some(RUNS),
                Some(true),
            ),
            (&[branch], None, Some(RUNS), None),
            (
                &[(".git/HEAD", "ref: refs/../../x")],
                None,
                Some(RUNS),
                None,
            ),
            (&[], Some(RUNS), Some(RUNS), Some(true)),
            (&[], Some(OTHER), Some(RUNS), Some(false)),
            (&[], None, Some(RUNS), None),
            (&[(".git/HEAD", detached.as_str())], Some(RUNS), None, None),
        ] {
            assert_eq!(
                is_of_run(files, event, runs),
                expected,
                "{files:?} {event:?} {runs:?}"
            );
        }
    }
}
