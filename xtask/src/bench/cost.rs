//! What a push took.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::contender::{Contender, TIME, Target};
use super::image::Image;
use super::place::Place;
use super::registry::Registry;
use crate::run::have;

/// What of the machine a push used.
#[derive(Clone, Copy)]
pub(super) struct Usage {
    /// Seconds of processors.
    pub(super) processor: f64,
    /// The most memory that it had.
    pub(super) mebibytes: f64,
}

/// What one push took.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    /// Seconds on the clock.
    pub(super) wall: f64,
    /// What else it took, where `time` is there to tell.
    pub(super) usage: Option<Usage>,
    pub(super) requests: usize,
}

impl Cost {
    /// Pushes once.
    pub(super) fn measure(
        contender: &Contender,
        image: &Image,
        target: &Target<'_>,
        place: &Place,
        registry: &Registry,
    ) -> Result<Self, String> {
        let before = registry.requests();
        let mut command = contender.command(image, target);
        let (wall, words) = place
            .as_client(|| timed(&mut command))
            .map_err(|error| error.to_string())?;
        if let Some(words) = words {
            return Err(format!("{} failed: {words}", contender.name));
        }
        let usage = if have(TIME) {
            Some(Usage::read(&target.times())?)
        } else {
            None
        };
        Ok(Self {
            wall,
            usage,
            requests: registry.requests() - before,
        })
    }
}

impl Usage {
    /// What `time` has written.
    fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let fields: Vec<f64> = text
            .split_whitespace()
            .map_while(|word| word.parse().ok())
            .collect();
        let [user, system, kibibytes] = fields[..] else {
            return Err(format!("time said {text:?}"));
        };
        Ok(Self {
            processor: user + system,
            mebibytes: kibibytes / 1024.0,
        })
    }
}

/// Seconds, and what the program said if it failed.
fn timed(command: &mut Command) -> (f64, Option<String>) {
    let start = Instant::now();
    let output = command.output();
    let wall = start.elapsed().as_secs_f64();
    let words = match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(error.to_string()),
    };
    (wall, words)
}

/// The pushes of one contender in all rounds.
#[derive(Default)]
pub(super) struct Series {
    pub(super) cold: Vec<Cost>,
    pub(super) warm: Vec<Cost>,
    /// Bytes that the registry stores after the first push.
    pub(super) stored: u64,
    /// Why there are no rounds of it, or no more.
    pub(super) failure: Option<String>,
}

/// The value in the middle.
pub(super) fn median(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    middle(costs.iter().map(of).collect())
}

/// The value in the middle.
pub(super) fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        length if length % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}
