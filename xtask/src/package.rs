//! `cargo xtask package`: what would be published of each crate, and whether it builds by itself.

use crate::run::{cargo, succeed};

/// The crates that are published, each after those that it depends on.
pub(crate) const PUBLISHED: [&str; 4] = ["oci-archive", "oci-push", "ghcr-diagnosis", "ghcr-push"];

/// Packs every crate and builds what was packed, each with those before it.
pub(crate) fn package() -> Result<(), String> {
    succeed(&mut command(&[]))
}

/// Packs every crate, which takes a second: all that a manifest has to say is there.
pub(crate) fn is_sound() -> Result<(), String> {
    succeed(&mut command(&["--no-verify", "--quiet"]))
}

fn command(more: &[&str]) -> std::process::Command {
    // Whoever is at work has not committed everything.
    let mut command = cargo(&["package", "--locked", "--allow-dirty"]);
    for name in PUBLISHED {
        command.args(["--package", name]);
    }
    command.args(more);
    command
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::PUBLISHED;
    use crate::run::root;

    fn manifest(path: &std::path::Path) -> toml::Table {
        let text = fs::read_to_string(path).expect("a manifest");
        text.parse().expect("TOML")
    }

    /// A crate is published, or says that it is not.
    #[test]
    fn every_crate_is_published_or_not() {
        let workspace = manifest(&root().join("Cargo.toml"));
        let known = &workspace["workspace"]["dependencies"];
        for entry in fs::read_dir(root().join("crates")).expect("crates") {
            let directory = entry.expect("readable").path();
            let manifest = manifest(&directory.join("Cargo.toml"));
            let package = manifest["package"].as_table().expect("a package");
            let name = package["name"].as_str().expect("a name");
            let is_private = package.get("publish").and_then(toml::Value::as_bool) == Some(false);
            assert_eq!(PUBLISHED.contains(&name), !is_private, "{name}");
            if is_private {
                continue;
            }
            for key in ["description", "readme", "license", "categories", "keywords"] {
                assert!(package.contains_key(key), "{name} has no {key}");
            }
            // On Windows git makes no symbolic links, but files with a path in them.
            let licenses = ["LICENSE-APACHE", "LICENSE-MIT"];
            for license in licenses.iter().filter(|_| !cfg!(windows)) {
                let own = fs::read(directory.join(license)).expect("a licence beside the manifest");
                let common = fs::read(root().join(license)).expect("the licence");
                assert_eq!(own, common, "{name}: {license}");
            }
            // Of the very same release: what is no part of a crate's interface may change in any.
            if name != "ghcr-push" {
                let version = known[name]["version"].as_str().expect("a version");
                let own = workspace["workspace"]["package"]["version"].as_str();
                assert_eq!(version.strip_prefix('='), own, "{name}");
            }
        }
    }
}
