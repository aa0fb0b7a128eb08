//! `cargo xtask test`: everything, with a count at the end.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, Stdio};

use crate::debian;
use crate::run::{cargo, have, say};

/// Where a program reports on the tests it runs.
#[derive(Debug, Clone, Copy)]
enum Reports {
    Output,
    Error,
}

/// The commands that run all tests together. nextest kills a test that hangs
/// (`.config/nextest.toml`), and does not run those in documentation
/// (<https://github.com/nextest-rs/nextest/issues/16>).
fn commands(nextest: bool) -> Vec<(Vec<&'static str>, Reports)> {
    let mut commands = if nextest {
        vec![
            (vec!["nextest", "run"], Reports::Error),
            (vec!["test", "--doc"], Reports::Output),
        ]
    } else {
        vec![(vec!["test"], Reports::Output)]
    };
    for (arguments, _) in &mut commands {
        arguments.extend(["--workspace", "--locked", "--no-fail-fast"]);
    }
    commands
}

/// Those that take minutes.
const LARGE: [&str; 8] = [
    "test",
    "--package",
    "ghcr-push",
    "--test",
    "it",
    "--locked",
    "--",
    "--ignored",
];

/// Runs all tests, those that take minutes only if that is wanted.
pub(crate) fn test(large: bool) -> Result<(), String> {
    debian::install();
    let skips = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let mut counts = Counts::default();
    let mut succeeded = true;
    let mut commands = commands(have("cargo-nextest"));
    if large {
        commands.push((LARGE.to_vec(), Reports::Output));
    }
    for (arguments, reports) in commands {
        let mut command = cargo(&arguments);
        command.env("GHCR_PUSH_TEST_SKIPS", skips.path());
        succeeded &= counted(&mut command, reports, &mut counts)?;
    }
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
    if !succeeded {
        return Err("some tests failed".to_owned());
    }
    Ok(())
}

/// Runs tests, passes on what is reported of them, and counts them; `false` if some failed.
fn counted(command: &mut Command, reports: Reports, counts: &mut Counts) -> Result<bool, String> {
    match reports {
        Reports::Output => command.stdout(Stdio::piped()),
        Reports::Error => command.stderr(Stdio::piped()),
    };
    let mut child = command
        .spawn()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    let report: Box<dyn Read> = match (child.stdout.take(), child.stderr.take()) {
        (Some(output), _) => Box::new(output),
        (None, Some(error)) => Box::new(error),
        (None, None) => return Err("cargo's output is not to be had".to_owned()),
    };
    for line in BufReader::new(report).lines() {
        let line = line.map_err(|error| error.to_string())?;
        say(&line);
        counts.add(&line);
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok(status.success())
}

/// The sums over all test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
}

impl Counts {
    /// Takes a line into account, such as `test result: ok. 18 passed; 0 failed; ...` by cargo, or
    /// `Summary [ 7.2s] 18 tests run: 17 passed (1 slow), 1 failed, 0 skipped` by nextest.
    fn add(&mut self, line: &str) {
        let cargo = || Some(line.strip_prefix("test result: ")?.split_once(". ")?.1);
        let nextest = || {
            Some(
                line.trim()
                    .strip_prefix("Summary [")?
                    .split_once("run: ")?
                    .1,
            )
        };
        let Some(counts) = cargo().or_else(nextest) else {
            return;
        };
        for count in counts.split([';', ',']) {
            let mut words = count.split_whitespace();
            let number: Option<usize> = words.next().and_then(|number| number.parse().ok());
            match (number, words.next()) {
                (Some(number), Some("passed")) => self.passed += number,
                // Ended for taking too long.
                (Some(number), Some("failed" | "timed")) => self.failed += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, commands};

    fn count(lines: &[&str]) -> (usize, usize) {
        let mut counts = Counts::default();
        for line in lines {
            counts.add(line);
        }
        (counts.passed, counts.failed)
    }

    #[test]
    fn counts() {
        let cargo = [
            "running 3 tests",
            "test result: ok. 18 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s",
        ];
        assert_eq!(count(&cargo), (20, 1));
        for (line, expected) in [
            (
                "     Summary [   0.190s] 4 tests run: 4 passed, 0 skipped",
                (4, 0),
            ),
            (
                "     Summary [  61.002s] 9/20 tests run: 5 passed (1 slow, 1 leaky), 3 failed, 1 timed out, 2 skipped",
                (5, 4),
            ),
            ("        PASS [   0.004s] xtask test::tests::counts", (0, 0)),
        ] {
            assert_eq!(count(&[line]), expected, "{line}");
        }
    }

    #[test]
    fn documentation_is_tested_with_and_without_nextest() {
        for nextest in [false, true] {
            let commands = commands(nextest);
            assert!(
                commands.iter().any(|(arguments, _)| arguments[0] == "test"),
                "{commands:?}"
            );
            for (arguments, _) in &commands {
                assert!(arguments.contains(&"--locked"), "{arguments:?}");
            }
        }
    }
}
