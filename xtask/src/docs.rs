//! `cargo xtask docs`: the documents that are made of the command line's definition.

use std::process::Command;

use crate::run::{cargo, say, succeed};

/// The tests that compare the documents with the definition, and can write them.
fn documents() -> Command {
    cargo(&[
        "test",
        "--quiet",
        "--package",
        "ghcr-push",
        "--bin",
        "ghcr-push",
        "--locked",
        "args::documents::",
    ])
}

/// Writes the man pages and the reference of all options.
pub(crate) fn docs() -> Result<(), String> {
    succeed(documents().env("UPDATE_EXPECT", "1"))?;
    say("docs/man and docs/options.md are current");
    Ok(())
}

/// Whether they are what they would be.
pub(crate) fn are_current() -> Result<(), String> {
    succeed(documents().env_remove("UPDATE_EXPECT")).map_err(|error| {
        format!("{error}\ncargo xtask docs makes docs/man and docs/options.md anew")
    })
}
