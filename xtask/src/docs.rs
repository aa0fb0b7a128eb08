//! `cargo xtask docs`: the documents that are made of the command line's definition, and the picture of what
//! the tool shows.

use std::process::Command;

use crate::picture::{self, Drawn};
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

/// Writes the man pages, the reference of all options, and the picture.
pub(crate) fn docs() -> Result<(), String> {
    succeed(documents().env("UPDATE_EXPECT", "1"))?;
    say("docs/man and docs/options.md are current");
    tell(&picture::write()?);
    Ok(())
}

/// Whether they are what they would be.
pub(crate) fn are_current() -> Result<(), String> {
    succeed(documents().env_remove("UPDATE_EXPECT")).map_err(|error| {
        format!("{error}\ncargo xtask docs makes docs/man and docs/options.md anew")
    })?;
    tell(&picture::is_current()?);
    Ok(())
}

fn tell(drawn: &Drawn) {
    match drawn {
        Drawn::Picture(_) => say("docs/ghcr-push.svg is current"),
        Drawn::Not(why) => say(&format!("docs/ghcr-push.svg is not drawn: {why}")),
    }
}
