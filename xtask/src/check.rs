//! `cargo xtask check`: format, lints, documentation, house rules, licences, documents made of the code, packages,
//! workflows.

use crate::run::{cargo, have, say, succeed};
use crate::{docs, licences, lint, package, tidy};

/// Runs all checks, and tells of every one that fails.
pub(crate) fn check() -> Result<(), String> {
    let mut failures = Vec::new();
    let mut note = |result: Result<(), String>| {
        if let Err(message) = result {
            failures.push(message);
        }
    };
    note(succeed(&mut cargo(&["fmt", "--all", "--check"])));
    note(succeed(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "--deny",
        "warnings",
    ])));
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
    note(succeed(doc.env("RUSTDOCFLAGS", "--deny warnings")));
    say("house rules");
    note(tidy::tidy());
    say("licences and single copies");
    note(licences::licences());
    note(docs::are_current());
    note(package::is_sound());
    note(lint::lint());
    if have("cargo-deny") {
        note(succeed(&mut cargo(&[
            "deny",
            "--offline",
            "check",
            "bans",
            "licenses",
            "sources",
        ])));
        say("skipped: known vulnerabilities of dependencies, which CI asks the network for");
    } else {
        say(
            "skipped: cargo-deny is not on PATH: sources and known vulnerabilities of dependencies are not looked at",
        );
    }
    if failures.is_empty() {
        say("all checks passed");
        return Ok(());
    }
    Err(failures.join("\n"))
}
