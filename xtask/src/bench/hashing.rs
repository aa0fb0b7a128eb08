//! How fast SHA-256 is, by the two implementations at hand, with and without the processor's instructions for it.

use std::process::Command;

use crate::run::{cargo, display};

/// What makes AWS-LC ignore the instructions: bit 29 of the third word of its capabilities is cleared
/// (<https://github.com/aws/aws-lc/blob/main/crypto/fipsmodule/cpucap/cpu_intel.c>).
const WITHOUT: (&str, &str) = ("OPENSSL_ia32cap", ":~0x20000000");

/// What makes `sha2` ignore them (<https://docs.rs/sha2/latest/sha2/#backends>).
const SOFTWARE: &str = "build.rustflags=[\"--cfg\", \"sha2_backend=\\\"soft\\\"\"]";

/// How often each is measured, in turns; the best counts.
const ROUNDS: usize = 3;

/// Whether the processor has the instructions.
pub(super) fn has_instructions() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    return std::arch::is_x86_feature_detected!("sha");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("sha2");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    false
}

/// Measures, and makes the table.
pub(super) fn table() -> Result<String, String> {
    let (mut with, mut without) = ([0.0; 2], [0.0; 2]);
    for _ in 0..ROUNDS {
        let usual = rates(&mut example(false))?;
        let aws_lc = rates(example(false).env(WITHOUT.0, WITHOUT.1))?;
        let sha2 = rates(&mut example(true))?;
        keep(&mut with, usual);
        keep(&mut without, [sha2[0], aws_lc[1]]);
    }
    let can_be_without = cfg!(any(target_arch = "x86", target_arch = "x86_64"));
    let mut lines = vec![
        "| MiB/s | with SHA instructions | without |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    for (position, name) in ["sha2", "aws-lc-rs"].into_iter().enumerate() {
        let with = if has_instructions() {
            format!("{:.0}", with[position])
        } else {
            "-".to_owned()
        };
        let without = if can_be_without || !has_instructions() {
            format!("{:.0}", without[position])
        } else {
            "-".to_owned()
        };
        lines.push(format!("| {name} | {with} | {without} |"));
    }
    Ok(lines.join("\n"))
}

fn keep(best: &mut [f64; 2], new: [f64; 2]) {
    for (best, new) in best.iter_mut().zip(new) {
        *best = new.max(*best);
    }
}

/// The program that measures both, `software` for a build whose `sha2` uses no instructions.
fn example(software: bool) -> Command {
    let mut command = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "oci-archive",
        "--features",
        "aws-lc-rs",
        "--example",
        "sha256",
    ]);
    if software {
        command.args(["--target-dir", "target/software", "--config", SOFTWARE]);
    }
    command
}

/// What it says: one rate in a line.
fn rates(command: &mut Command) -> Result<[f64; 2], String> {
    let shown = display(command);
    let output = command
        .output()
        .map_err(|error| format!("{shown} cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rates: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    let rates = <[f64; 2]>::try_from(rates);
    rates.map_err(|_| {
        format!(
            "{shown} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })
}
