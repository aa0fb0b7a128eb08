//! How many requests a push takes. The embedded registry counts; no clock is involved.

use std::path::Path;
use std::process::Command;

use test_registry::{Options, Personality, TestRegistry};

use super::contender::{Contender, Target, Variants, contenders};
use super::image::Image;

/// Requests, and those of them that change something.
struct Count {
    all: usize,
    mutating: usize,
}

/// Counts, and makes the table.
pub(super) fn table(image: &Image) -> Result<String, String> {
    let mut lines = vec![
        "| tool | new image | of them writing | unchanged | another tag |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    for contender in contenders(Variants::Verify) {
        let mut options = Options::default();
        options.personality = Personality::Ghcr;
        let registry = TestRegistry::start(options);
        let home = tempfile::tempdir().map_err(|error| error.to_string())?;
        let counts: Result<Vec<Count>, String> = ["1", "1", "2"]
            .into_iter()
            .map(|tag| count(&contender, &registry, image, tag, home.path()))
            .collect();
        let counts = match counts {
            Ok(counts) => counts,
            // One tool that fails says nothing about the others.
            Err(failure) => {
                let last = failure.lines().last().unwrap_or_default();
                lines.push(format!("| {} | {last} |", contender.name));
                continue;
            }
        };
        if let [new, unchanged, other] = counts.as_slice() {
            lines.push(format!(
                "| {} | {} | {} | {} | {} |",
                contender.name, new.all, new.mutating, unchanged.all, other.all
            ));
        }
    }
    Ok(lines.join("\n"))
}

fn count(
    contender: &Contender,
    registry: &TestRegistry,
    image: &Image,
    tag: &str,
    home: &Path,
) -> Result<Count, String> {
    registry.clear_journal();
    let target = Target {
        host: &registry.host(),
        tag,
        home,
        certificate: None,
    };
    let mut command: Command = contender.command(image, &target);
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{} failed: {words}", contender.name));
    }
    let journal = registry.journal();
    Ok(Count {
        all: journal.exchanges.len(),
        mutating: journal.mutating(),
    })
}
