//! The house rules that no compiler holds. `ARCHITECTURE.md` tells why they are there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::architecture;
use crate::run::root;

/// A file that does more than one thing is longer than this.
const LONGEST_FILE: usize = 400;

/// The chain: each crate depends only on those before it.
const CHAIN: [&str; 4] = ["oci-archive", "oci-push", "ghcr-diagnosis", "ghcr-push"];

/// Who may name a crate or the environment, as beginnings of paths.
const NAMED_ONLY_IN: [(&str, &[&str]); 5] = [
    ("reqwest", &["crates/oci-push/src/http"]),
    (
        "clap",
        &[
            "crates/ghcr-push/src/args",
            "crates/test-registry/src/main.rs",
        ],
    ),
    ("console", &["crates/ghcr-push/src/output/bars.rs"]),
    ("indicatif", &["crates/ghcr-push/src/output/bars.rs"]),
    (
        "std::env",
        &[
            "crates/ghcr-diagnosis/examples/",
            "crates/ghcr-push/build.rs",
            "crates/ghcr-push/src/env.rs",
            "crates/oci-push/examples/",
            "crates/test-registry/src/distribution.rs",
            "xtask/",
        ],
    ),
];

/// Checks all rules.
pub(crate) fn tidy() -> Result<(), String> {
    let mut problems = Vec::new();
    let sources = sources()?;
    for (path, text) in &sources {
        file_rules(path, text, &mut problems);
    }
    chain(&mut problems)?;
    diagnoses(&sources, &mut problems)?;
    architecture::files_exist(&sources, &mut problems)?;
    if problems.is_empty() {
        return Ok(());
    }
    Err(problems.join("\n"))
}

fn file_rules(path: &str, text: &str, problems: &mut Vec<String>) {
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        problems.push(format!("{path}: {lines} lines, at most {LONGEST_FILE}"));
    }
    if !text.starts_with("//!") && !path.ends_with("tests.rs") {
        problems.push(format!("{path}: it does not open with what it is for"));
    }
    let is_test = path.contains("tests");
    for (number, line) in text.lines().enumerate() {
        let place = format!("{path}:{}", number + 1);
        for mark in
            ["TO", "FIX"].map(|start| format!("{start}{}", if start == "TO" { "DO" } else { "ME" }))
        {
            if line.contains(&mark) {
                problems.push(format!("{place}: {mark}"));
            }
        }
        let code = line.trim_start();
        if is_test || code.starts_with("//") {
            continue;
        }
        for (name, places) in NAMED_ONLY_IN {
            let named = path.starts_with("crates/") && names(code, name);
            if named && !places.iter().any(|place| path.starts_with(place)) {
                problems.push(format!(
                    "{place}: {name} may be named only in {}",
                    places.join(", ")
                ));
            }
        }
        if code.starts_with("#[allow(") {
            problems.push(format!("{place}: use #[expect(..., reason = ...)]"));
        }
    }
}

/// Whether a line of code names something: as a word of its own, so that `use reqwest as web;` counts, but
/// not in a text. `use std::{env, fs};` names `std::env`.
fn names(code: &str, name: &str) -> bool {
    let mut outside_texts = code
        .replace("\\\"", "")
        .split('"')
        .step_by(2)
        .collect::<String>();
    if let Some((parent, child)) = name.rsplit_once("::")
        && let Some((_, list)) = outside_texts.split_once(&format!("{parent}::{{"))
        && has_word(list, child)
    {
        return true;
    }
    // What comes after the code of a line is no code.
    if let Some(comment) = outside_texts.find("//") {
        outside_texts.truncate(comment);
    }
    has_word(&outside_texts, name)
}

/// Whether a text has a word that is not a part of a longer one, nor of a longer path.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = &text[..at];
        let after = &text[at + word.len()..];
        // `crate::output::clap` is something else; `::clap` is the crate.
        let within = before
            .strip_suffix("::")
            .is_some_and(|path| path.ends_with(is_part));
        !before.ends_with(is_part) && !within && !after.starts_with(is_part)
    })
}

/// No crate of the chain depends on one after it, and the test registry on none of them.
fn chain(problems: &mut Vec<String>) -> Result<(), String> {
    for (position, name) in CHAIN.iter().enumerate() {
        let dependencies = dependencies(name)?;
        for later in &CHAIN[position..] {
            if dependencies.iter().any(|dependency| dependency == later) {
                problems.push(format!("{name} depends on {later}, which comes after it"));
            }
        }
    }
    let dependencies = dependencies("test-registry")?;
    for name in CHAIN {
        if dependencies.iter().any(|dependency| dependency == name) {
            problems.push(format!("test-registry depends on {name}"));
        }
    }
    Ok(())
}

fn dependencies(name: &str) -> Result<Vec<String>, String> {
    let path = root().join("crates").join(name).join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let manifest: toml::Table = text
        .parse()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let table = manifest.get("dependencies").and_then(toml::Value::as_table);
    Ok(table
        .map(|table| table.keys().cloned().collect())
        .unwrap_or_default())
}

/// Every diagnosis code is documented and tested.
fn diagnoses(sources: &[(String, String)], problems: &mut Vec<String>) -> Result<(), String> {
    let definition = "crates/ghcr-diagnosis/src/diagnosis.rs";
    let (_, text) = sources
        .iter()
        .find(|(path, _)| path == definition)
        .ok_or("the diagnosis codes are not where they were")?;
    // The codes and nothing else of the file.
    let codes = text.split("pub enum Likelihood").next().unwrap_or(text);
    let documented = fs::read_to_string(root().join("docs/diagnoses.md")).unwrap_or_default();
    let tested = |code: &str| {
        sources
            .iter()
            .any(|(path, text)| path.contains("tests") && text.contains(code))
    };
    for code in codes
        .lines()
        .filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","))
    {
        if !documented.contains(&format!("`{code}`")) {
            problems.push(format!("docs/diagnoses.md does not document {code}"));
        }
        if !tested(code) {
            problems.push(format!("no test names {code}"));
        }
    }
    Ok(())
}

/// All Rust files by their path from the root.
fn sources() -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    for directory in ["crates", "tests", "xtask"] {
        collect(&root().join(directory), &mut files).map_err(|error| error.to_string())?;
    }
    files.sort();
    let read = |path: PathBuf| {
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let relative = path.strip_prefix(root()).unwrap_or(&path);
        Ok((relative.to_string_lossy().replace('\\', "/"), text))
    };
    files.into_iter().map(read).collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{file_rules, names, tidy};

    #[test]
    fn the_house_is_tidy() {
        assert_eq!(tidy(), Ok(()));
    }

    #[test]
    fn what_names_a_crate() {
        for line in [
            "use reqwest::Client;",
            "use reqwest as web;",
            "use reqwest;",
            "extern crate reqwest;",
            "pub use ::reqwest::{Client, Method};",
            "let client: reqwest::Client = make(\"x\");",
            "#[derive(reqwest::Something)]",
        ] {
            assert!(names(line, "reqwest"), "{line}");
        }
        for line in [
            "let text = \"reqwest::Client\";",
            "let text = \"a \\\" reqwest\";",
            "use crate::reqwest_like::Client;",
            "use my_reqwest::Client;",
            "use crate::reqwest::Client;",
            "run(); // as reqwest does",
        ] {
            assert!(!names(line, "reqwest"), "{line}");
        }
        for (line, expected) in [
            ("let path = std::env::var_os(\"PATH\");", true),
            ("use std::env;", true),
            ("use std::{env, fs};", true),
            ("use std::{fs, io};", false),
            ("use crate::env::Environment;", false),
            ("let name = env!(\"CARGO_PKG_NAME\");", false),
        ] {
            assert_eq!(names(line, "std::env"), expected, "{line}");
        }
    }

    #[test]
    fn what_is_untidy() {
        let long = "//! It.\n".repeat(401);
        for (path, text, expected) in [
            ("crates/a/src/lib.rs", "fn a() {}", "does not open"),
            ("crates/a/src/lib.rs", long.as_str(), "401 lines"),
            (
                "crates/a/src/lib.rs",
                "//! It.\nuse reqwest::Client;",
                "reqwest may be named",
            ),
            (
                "crates/a/src/lib.rs",
                "//! It.\nuse reqwest as web;",
                "reqwest may be named",
            ),
            (
                "crates/a/src/lib.rs",
                "//! It.\n#[allow(dead_code)]",
                "use #[expect",
            ),
        ] {
            let mut problems = Vec::new();
            file_rules(path, text, &mut problems);
            assert!(
                problems.iter().any(|problem| problem.contains(expected)),
                "{problems:?}"
            );
        }
    }
}
