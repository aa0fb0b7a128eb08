//! Sizes and durations as people write them.

use std::time::Duration;

/// Reads `4MiB`, `10MB`, `512k`, `1048576`. Letters alone and those with `i` count in powers of 1024
/// as `docker` and `dd` do, those with `B` alone in powers of 1000.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        _ => {
            return Err(format!(
                "{text:?} is no size; write it like 4MiB, 10MB or 512k"
            ));
        }
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|size| *size > 0)
        .ok_or_else(|| format!("{text:?} is no size; write it like 4MiB, 10MB or 512k"))
}

/// What is longer is for ever, and more than a clock can count on.
const YEAR: u64 = 365 * 24 * 3600;

/// Reads `30s`, `10m`, `1h30m`, `90`; a year at most.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration; write it like 30s, 10m or 1h30m");
    let mut seconds: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let (factor, after) = match after.chars().next() {
            None if rest == text => (1, after),
            Some('s') => (1, &after[1..]),
            Some('m') => (60, &after[1..]),
            Some('h') => (3600, &after[1..]),
            _ => return Err(wrong()),
        };
        let part = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(factor));
        seconds = part
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(wrong)?;
        rest = after;
    }
    if seconds == 0 {
        return Err(wrong());
    }
    Ok(Duration::from_secs(seconds.min(YEAR)))
}

/// A number of bytes for people, in powers of 1000 as registries' pages show them.
pub(crate) fn display_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A duration for people.
pub(crate) fn display_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..=59 => format!("{:.1} s", duration.as_secs_f64()),
        60..=3599 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("4MiB", Some(4 << 20)),
            ("10MB", Some(10_000_000)),
            ("512k", Some(512 << 10)),
            ("1 GiB", Some(1 << 30)),
            ("1048576", Some(1_048_576)),
            ("0", None),
            ("-1", None),
            ("4X", None),
            ("", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("30s", Some(30)),
            ("10m", Some(600)),
            ("1h30m", Some(5400)),
            ("90", Some(90)),
            ("18446744073709551615s", Some(YEAR)),
            ("18446744073709551616s", None),
            ("1h30", None),
            ("0s", None),
            ("s", None),
            ("", None),
            ("soon", None),
        ] {
            assert_eq!(duration(text).ok().map(|d| d.as_secs()), expected, "{text}");
        }
    }

    #[test]
    fn displayed_sizes() {
        for (bytes, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_999, "1.0 MB"),
            (12_345_678, "12.3 MB"),
        ] {
            assert_eq!(display_size(bytes), expected);
        }
    }
}
