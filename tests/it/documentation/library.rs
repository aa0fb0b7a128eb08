//! What `docs/library.md` says of types that may grow: each is `#[non_exhaustive]`, or named there with a reason.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::root;

/// The crates that the page is about.
const CRATES: [&str; 3] = ["oci-archive", "oci-push", "ghcr-diagnosis"];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The names that a crate's root gives out as its interface, which `internals` is no part of.
fn interface(root: &str) -> BTreeSet<String> {
    let interface = root.split("pub mod internals").next().unwrap_or_default();
    let uses = interface.split("pub use ").skip(1);
    let names = uses.flat_map(|one| {
        let one = one.split(';').next().unwrap_or_default();
        let is_of_name = |character: char| character.is_alphanumeric() || character == '_';
        one.split(move |character| !is_of_name(character))
    });
    let is_type = |name: &&str| name.starts_with(char::is_uppercase);
    names.filter(is_type).map(str::to_owned).collect()
}

/// The types of a file that others can make or take apart completely.
fn open_types(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut open = Vec::new();
    for (position, line) in lines.iter().enumerate() {
        let of_kind = |kind: &str| line.strip_prefix(kind);
        let (rest, is_enumeration) = match (of_kind("pub struct "), of_kind("pub enum ")) {
            (Some(rest), _) => (rest, false),
            (None, Some(rest)) => (rest, true),
            (None, None) => continue,
        };
        let name = rest
            .split(|character: char| !character.is_alphanumeric())
            .next();
        let above = lines[..position].iter().rev();
        let mut above = above.take_while(|line| !line.is_empty() && **line != "}");
        if above.any(|line| line.trim() == "#[non_exhaustive]") {
            continue;
        }
        let body = lines[position + 1..].iter();
        let mut body = body.take_while(|line| !line.starts_with(['}', ')']));
        let has_body = rest.ends_with(['{', '(']);
        let fields = has_body && body.any(|line| line.starts_with("    pub "));
        let is_unit = rest.ends_with(';') && !rest.contains('(');
        if is_enumeration || fields || is_unit || rest.contains("(pub ") {
            open.extend(name.map(str::to_owned));
        }
    }
    open
}

#[test]
fn types_that_may_grow() {
    let page = std::fs::read_to_string(root().join("docs/library.md")).expect("a page");
    let (_, section) = page
        .split_once("\n## What may change\n")
        .expect("its section");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let told: BTreeSet<String> = cells
        .flat_map(|cell| cell.split([',', '`', ' ']))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let mut open = BTreeSet::new();
    for name in CRATES {
        let directory = root().join("crates").join(name).join("src");
        let lib = std::fs::read_to_string(directory.join("lib.rs")).expect("a root");
        let interface = interface(&lib);
        let mut files = Vec::new();
        sources(&directory, &mut files);
        for file in files {
            let text = std::fs::read_to_string(&file).expect("text");
            let types = open_types(&text).into_iter();
            open.extend(types.filter(|name| interface.contains(name)));
        }
    }
    assert_eq!(open, told);
}

#[test]
fn what_is_open() {
    let text = "\
#[derive(Debug)]
#[non_exhaustive]
pub struct May {
    /// A field.
    pub grow: u8,
}

/// Nobody else makes one.
pub struct Private {
    own: u8,
}

pub struct Literal {
    pub field: u8,
}

#[derive(Debug)]
pub enum Complete {
    One,
}

pub struct Unit;
pub struct Wrapper(pub u8);
pub struct Sealed(u8);
";
    assert_eq!(open_types(text), ["Literal", "Complete", "Unit", "Wrapper"]);
}
