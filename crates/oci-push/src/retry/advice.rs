//! The wait that a server asks for.

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;

use crate::request::Response;

/// More than this is no advice but a dismissal; the budget ends the push long before.
const LONGEST_ADVICE: Duration = Duration::from_hours(24);

/// Seconds beyond which a number is noise.
const NO_ADVICE: f64 = 1e6;

/// The wait asked for by an answer, from its `Retry-After` header, or from the text of ghcr.io's 429:
/// `retry-after: 10.305464ms, allowed: 2000/minute`
/// (<https://github.com/chainguard-images/images/issues/173>).
pub(crate) fn advised_wait(response: &Response) -> Option<Duration> {
    let header = response
        .headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| seconds(value).or_else(|| until(value, response)));
    header.or_else(|| {
        (response.status == 429)
            .then(|| in_text(&response.body))
            .flatten()
    })
}

/// `Retry-After` in seconds; registries behind some proxies send fractions. A negative value, or one
/// that is no number, is no advice.
fn seconds(value: &str) -> Option<Duration> {
    let seconds: f64 = value.trim().parse().ok()?;
    // What asks for weeks is no more meant than what is no number.
    if seconds.is_nan() || seconds > NO_ADVICE {
        return None;
    }
    let bounded = seconds.min(LONGEST_ADVICE.as_secs_f64());
    Duration::try_from_secs_f64(bounded).ok()
}

/// `Retry-After` as a date, from the server's own time on, since clocks differ
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>).
fn until(value: &str, response: &Response) -> Option<Duration> {
    let date = httpdate::parse_http_date(value.trim()).ok()?;
    let now = response
        .header("date")
        .and_then(|date| httpdate::parse_http_date(date).ok())
        .unwrap_or_else(SystemTime::now);
    let wait = date.duration_since(now).unwrap_or_default();
    Some(wait.min(LONGEST_ADVICE))
}

fn in_text(body: &[u8]) -> Option<Duration> {
    const MARK: &str = "retry-after:";
    let text = String::from_utf8_lossy(body);
    let start = text.to_ascii_lowercase().find(MARK)? + MARK.len();
    let rest = text.get(start..)?.trim_start();
    let end = rest
        .find(|character: char| !(character.is_alphanumeric() || character == '.'))
        .unwrap_or(rest.len());
    go_duration(&rest[..end])
}

/// A duration as Go prints it: `1h2m3.5s`, `333.939671ms`, `880.092µs`
/// (<https://pkg.go.dev/time#ParseDuration>).
pub(super) fn go_duration(text: &str) -> Option<Duration> {
    let mut total = 0.0_f64;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..number_end].parse().ok()?;
        rest = &rest[number_end..];
        let unit_end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        total += number
            * match &rest[..unit_end] {
                "ns" => 1e-9,
                // U+00B5 and U+03BC look alike, and Go reads both.
                "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    Duration::try_from_secs_f64(total.min(LONGEST_ADVICE.as_secs_f64())).ok()
}
