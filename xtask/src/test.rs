//! `cargo xtask test`: everything, with a count at the end.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::debian;
use crate::run::{cargo, say};

/// Runs all tests.
pub(crate) fn test() -> Result<(), String> {
    debian::install();
    let skips = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let mut command = cargo(&["test", "--workspace", "--no-fail-fast"]);
    command
        .env("GHCR_PUSH_TEST_SKIPS", skips.path())
        .stdout(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    let output = child
        .stdout
        .take()
        .ok_or("cargo's output is not to be had")?;
    let mut counts = Counts::default();
    for line in BufReader::new(output).lines() {
        let line = line.map_err(|error| error.to_string())?;
        say(&line);
        counts.add(&line);
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let skipped = std::fs::read_to_string(skips.path()).unwrap_or_default();
    for line in skipped.lines() {
        say(&format!("skipped: {line}"));
    }
    let skipped = skipped.lines().count();
    // A test that could not run counts as passed with cargo.
    let passed = counts.passed.saturating_sub(skipped);
    say(&format!(
        "{passed} passed, {} failed, {skipped} skipped",
        counts.failed
    ));
    if !status.success() {
        return Err("some tests failed".to_owned());
    }
    Ok(())
}

/// The sums over all test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
}

impl Counts {
    /// Takes a line such as `test result: ok. 18 passed; 0 failed; ...` into account.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn counts() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test result: ok. 18 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s",
        ] {
            counts.add(line);
        }
        assert_eq!(
            counts,
            Counts {
                passed: 20,
                failed: 1
            }
        );
    }
}
