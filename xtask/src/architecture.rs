//! That ARCHITECTURE.md tells of files that are there.

use std::fs;
use std::path::Path;

use crate::run::root;

/// Names every Rust file in it that is not there any more.
pub(crate) fn files_exist(
    sources: &[(String, String)],
    problems: &mut Vec<String>,
) -> Result<(), String> {
    let page = "ARCHITECTURE.md";
    let text = fs::read_to_string(root().join(page)).map_err(|error| format!("{page}: {error}"))?;
    let paths: Vec<&str> = sources.iter().map(|(path, _)| path.as_str()).collect();
    for name in missing(&text, &paths) {
        problems.push(format!("{page}: there is no {name}"));
    }
    Ok(())
}

/// The names between backticks that end in `.rs` and are the end of no path. `src` may be left out of them.
fn missing<'a>(text: &'a str, paths: &[&str]) -> Vec<&'a str> {
    let is_there = |name: &str| {
        let end = format!("/{name}");
        paths.iter().any(|path| {
            path.ends_with(&end) || path.replace("/src/", "/").ends_with(&end) || *path == name
        })
    };
    let names = text.split('`').skip(1).step_by(2);
    names
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "rs"))
        .filter(|name| !name.contains(char::is_whitespace) && !is_there(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn what_is_missing() {
        let paths = ["crates/a/src/b/c.rs", "tests/it/d.rs"];
        for (text, expected) in [
            (
                "`c.rs`, `b/c.rs`, `a/b/c.rs`, `tests/it/d.rs`, `a b.rs`, e.rs",
                &[][..],
            ),
            ("`x.rs` and `a/c.rs`", &["x.rs", "a/c.rs"][..]),
            ("`bc.rs`", &["bc.rs"][..]),
        ] {
            assert_eq!(missing(text, &paths), expected, "{text}");
        }
    }
}
