//! The machine that is measured on, for the record.

use std::fs;

/// How busy the machine has been in the last minute, where it tells.
pub(super) fn load() -> Option<String> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next().map(str::to_owned)
}

/// Processors, what they can do, how TCP sends, and how busy it all was.
pub(super) fn describe(load_before: Option<&str>) -> String {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("of a kind that it does not tell", |(_, model)| model);
    let instructions = if super::hashing::has_instructions() {
        "with"
    } else {
        "without"
    };
    let load = match (load_before, load()) {
        (Some(before), Some(after)) => {
            format!("; load {before} before the first measurement and {after} after the last")
        }
        _ => String::new(),
    };
    format!("* machine: {processors} processors {model}, {instructions} SHA instructions{load}")
}
