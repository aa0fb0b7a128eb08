//! That what the documents say holds: their links lead somewhere, their commands run as they stand, and their
//! workflows are such as GitHub takes.
//!
//! Every code block marked `sh`, and what workflows run of this tool, runs in [`shell`], which lists those that cannot.
//! `yaml` blocks are looked into by [`workflows`] besides.

mod examples;
mod library;
mod links;
mod markdown;
mod shell;
mod workflows;
mod yaml;

use std::path::{Path, PathBuf};

use markdown::Page;

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A page by its path from the root.
fn page(path: &str) -> Page {
    let text = std::fs::read_to_string(root().join(path));
    Page::read(
        path,
        &text.unwrap_or_else(|error| panic!("{path}: {error}")),
    )
}

/// Every page of the repository.
fn pages() -> Vec<Page> {
    let mut found = Vec::new();
    collect(&root(), Path::new(""), &mut found);
    found.sort();
    assert!(found.iter().any(|path| path == "README.md"), "{found:?}");
    found.iter().map(|path| page(path)).collect()
}

fn collect(root: &Path, below: &Path, found: &mut Vec<String>) {
    let entries = std::fs::read_dir(root.join(below)).expect("a directory");
    for entry in entries {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = below.join(&name);
        if entry.path().is_dir() {
            // What is built, and what belongs to git.
            let is_own = !name.starts_with('.') && !entry.path().join("CACHEDIR.TAG").exists();
            if is_own && name != "target" {
                collect(root, &path, found);
            }
        } else if Path::new(&name)
            .extension()
            .is_some_and(|extension| extension == "md")
        {
            found.push(path.to_string_lossy().replace('\\', "/"));
        }
    }
}
