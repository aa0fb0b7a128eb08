//! The moment at which a token ends, as GitHub writes it.
//!
//! `2021-09-03 02:34:04 UTC` or `2023-04-26 20:23:26 +0200`: both are seen
//! (<https://github.com/google/go-github/blob/master/github/github_test.go>).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The moment that `text` names, `None` if it is written in another way.
pub(super) fn read(text: &str) -> Option<SystemTime> {
    let mut parts = text.split_whitespace();
    let (date, time, zone) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = (1970..10_000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !in_range {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = seconds - offset(zone)?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds.try_into().ok()?))
}

/// Three numbers with `separator` between them.
fn numbers(text: &str, separator: char) -> Option<[i64; 3]> {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = text.split(separator).filter(|part| is_number(part));
    let mut next = || parts.next()?.parse().ok();
    let numbers = [next()?, next()?, next()?];
    (text.matches(separator).count() == 2).then_some(numbers)
}

/// How far a zone is ahead of UTC, in seconds.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "UTC" | "GMT" | "Z") {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = digits.parse().ok()?;
    Some(sign * (number / 100 * 3600 + number % 100 * 60))
}

/// The days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that a leap day is
/// the last of its year (<https://howardhinnant.github.io/date_algorithms.html#days_from_civil>).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for (text, seconds) in [
            ("1970-01-01 00:00:00 UTC", Some(0)),
            ("2021-09-03 02:34:04 UTC", Some(1_630_636_444)),
            ("2023-04-26 20:23:26 +0200", Some(1_682_533_406)),
            ("2023-04-26 13:53:26 -0430", Some(1_682_533_406)),
            ("2024-02-29 23:59:59 UTC", Some(1_709_251_199)),
            ("2026-11-22 02:34:04", None),
            ("2026-13-22 02:34:04 UTC", None),
            ("2026-11-22T02:34:04Z", None),
            ("2026-11-22 02:34:04 CEST", None),
            ("2026-11-22 02:34:04 +02:00", None),
            ("::error::1999", None),
            ("", None),
        ] {
            let expected = seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
