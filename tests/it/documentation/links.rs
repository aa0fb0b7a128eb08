//! Links within the repository lead to files and headings that are there.

use super::{page, pages, root};

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    let mut count = 0;
    for page in pages() {
        for link in &page.links {
            count += 1;
            if let Err(why) = follow(&page.path, &link.target) {
                broken.push(format!("{}:{}: {why}", page.path, link.line));
            }
        }
    }
    assert!(count > 60, "{count}");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The other way round: a page that nothing leads to is read by nobody.
#[test]
fn every_document_is_linked() {
    let pages = pages();
    for document in pages.iter().filter(|page| page.path.starts_with("docs/")) {
        let name = document.path.rsplit('/').next().expect("a name");
        let is_linked = pages.iter().any(|page| {
            page.path != document.path
                && page.links.iter().any(|link| {
                    link.target
                        .split('#')
                        .next()
                        .is_some_and(|target| target.rsplit('/').next() == Some(name))
                })
        });
        assert!(is_linked, "{} is linked from nowhere", document.path);
    }
}

fn follow(from: &str, target: &str) -> Result<(), String> {
    if target.starts_with("https://") {
        let is_whole = !target.contains(char::is_whitespace);
        return is_whole.then_some(()).ok_or(format!("{target:?}"));
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() {
        from.to_owned()
    } else {
        beside(from, file).ok_or_else(|| format!("{target} leads out of the repository"))?
    };
    if !root().join(&path).exists() {
        return Err(format!("{target}: there is no {path}"));
    }
    let is_known = anchor.is_empty() || page(&path).anchors.iter().any(|known| known == anchor);
    is_known
        .then_some(())
        .ok_or_else(|| format!("{target}: {path} has no heading {anchor}"))
}

/// The path from the root of what a page names.
fn beside(from: &str, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            ".." => {
                parts.pop()?;
            }
            "." | "" => {}
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[test]
fn what_is_no_link() {
    for (from, target) in [
        ("README.md", "docs/nothing.md"),
        ("README.md", "docs/usage.md#nothing"),
        ("docs/usage.md", "../../outside.md"),
        ("README.md", "#nothing"),
        ("README.md", "http://example.com"),
    ] {
        assert!(follow(from, target).is_err(), "{target}");
    }
    for (from, target) in [
        ("README.md", "docs/usage.md#credentials"),
        ("docs/usage.md", "../README.md#limits"),
        ("docs/usage.md", "man"),
    ] {
        assert_eq!(follow(from, target), Ok(()), "{target}");
    }
}
