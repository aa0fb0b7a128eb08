use std::time::Duration;

use proptest::prelude::*;

use super::advice::go_duration;
use super::{Attempt, Outcome, RetryPolicy, Verdict};
use crate::request::Replay;

fn attempt() -> Attempt {
    Attempt {
        replay: Replay::Safe,
        number: 1,
        elapsed: Duration::ZERO,
        idle: Duration::ZERO,
        waited: Duration::ZERO,
        host_answered: true,
    }
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        advised: None,
    }
}

fn retried(attempt: &Attempt, outcome: Outcome) -> bool {
    RetryPolicy::default().decide(attempt, outcome, 0.5) != Verdict::Settled
}

#[test]
fn every_status() {
    let retried: Vec<u16> = (100..=599)
        .filter(|&status| retried(&attempt(), answered(status)))
        .collect();
    assert_eq!(
        retried,
        [
            408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524
        ]
    );
}

#[test]
fn what_ends_the_tries() {
    let first = attempt();
    for (name, attempt, outcome, expected) in [
        ("no answer", first, Outcome::Unanswered, true),
        ("final", first, Outcome::Final, false),
        (
            "a chunk",
            Attempt {
                replay: Replay::Never,
                ..first
            },
            answered(503),
            false,
        ),
        (
            "ninth try",
            Attempt { number: 9, ..first },
            answered(503),
            true,
        ),
        (
            "ten minutes",
            Attempt {
                idle: Duration::from_mins(10),
                ..first
            },
            answered(503),
            false,
        ),
        (
            "a fault that stays, for less than ten minutes",
            Attempt {
                number: 20,
                elapsed: Duration::from_secs(500),
                idle: Duration::from_secs(500),
                ..first
            },
            answered(500),
            true,
        ),
        (
            "a fault that stays",
            Attempt {
                elapsed: Duration::from_mins(10),
                idle: Duration::from_mins(10),
                ..first
            },
            answered(500),
            false,
        ),
    ] {
        assert_eq!(retried(&attempt, outcome), expected, "{name}");
    }
}

#[test]
fn before_the_first_contact() {
    let first = attempt();
    let unreached = Attempt {
        host_answered: false,
        ..first
    };
    for (name, attempt, outcome, expected) in [
        ("never reached", unreached, Outcome::Unanswered, true),
        (
            "never resolved, often tried",
            Attempt {
                number: 4,
                ..unreached
            },
            Outcome::Unresolved,
            false,
        ),
        (
            "never reached, often tried",
            Attempt {
                number: 8,
                elapsed: Duration::from_secs(14),
                ..unreached
            },
            Outcome::Unreachable,
            true,
        ),
        (
            "never reached, for long",
            Attempt {
                number: 8,
                elapsed: Duration::from_secs(15),
                ..unreached
            },
            Outcome::Unreachable,
            false,
        ),
        (
            "never reached, for long and seldom tried",
            Attempt {
                number: 2,
                elapsed: Duration::from_secs(21),
                ..unreached
            },
            Outcome::Unreachable,
            true,
        ),
        (
            "broken, often tried",
            Attempt {
                number: 4,
                ..unreached
            },
            Outcome::Unanswered,
            true,
        ),
        (
            "broken for long",
            Attempt {
                number: 2,
                elapsed: Duration::from_secs(61),
                ..unreached
            },
            Outcome::Unanswered,
            false,
        ),
        (
            "hung for long",
            Attempt {
                elapsed: Duration::from_secs(31),
                ..unreached
            },
            Outcome::Silent,
            true,
        ),
    ] {
        assert_eq!(retried(&attempt, outcome), expected, "{name}");
    }
}

#[test]
fn what_is_not_there_or_not_understood() {
    let first = attempt();
    let unreached = Attempt {
        host_answered: false,
        ..first
    };
    for (name, attempt, outcome, expected) in [
        (
            "refused, often tried, by a host that has answered",
            Attempt { number: 9, ..first },
            Outcome::Unreachable,
            true,
        ),
        (
            "silent for a minute",
            Attempt {
                elapsed: Duration::from_secs(61),
                number: 2,
                ..unreached
            },
            Outcome::Silent,
            true,
        ),
        (
            "an answer that trickles for half a minute",
            Attempt {
                elapsed: Duration::from_secs(31),
                ..unreached
            },
            Outcome::Unfinished,
            true,
        ),
        (
            "an answer that trickles again",
            Attempt {
                elapsed: Duration::from_secs(61),
                number: 2,
                ..unreached
            },
            Outcome::Unfinished,
            false,
        ),
        (
            "silent for two minutes",
            Attempt {
                elapsed: Duration::from_secs(122),
                number: 4,
                ..unreached
            },
            Outcome::Silent,
            false,
        ),
        (
            "no HTTP, twice",
            Attempt { number: 2, ..first },
            Outcome::Malformed,
            true,
        ),
        (
            "no HTTP, three times",
            Attempt { number: 3, ..first },
            Outcome::Malformed,
            false,
        ),
    ] {
        assert_eq!(retried(&attempt, outcome), expected, "{name}");
    }
}

/// A limit without advice, and a host that refuses connections, are asked often at first.
#[test]
fn the_longest_waits() {
    let waited = |attempt: Attempt, outcome| {
        let policy = RetryPolicy::default();
        match policy.decide(&attempt, outcome, 1.0) {
            Verdict::Retry(wait) => wait.as_secs(),
            Verdict::Settled => 0,
        }
    };
    let after = |number, waited, host_answered| Attempt {
        number,
        waited: Duration::from_secs(waited),
        host_answered,
        ..attempt()
    };
    for (name, attempt, outcome, expected) in [
        ("a limit", after(5, 3, true), answered(429), 3),
        ("the same for minutes", after(60, 3, true), answered(429), 3),
        ("and once more", after(61, 3, true), answered(429), 9),
        ("and for long", after(70, 30, true), answered(429), 30),
        (
            "refused before contact",
            after(9, 3, false),
            Outcome::Unreachable,
            3,
        ),
        (
            "refused later",
            after(9, 30, true),
            Outcome::Unreachable,
            30,
        ),
    ] {
        assert_eq!(waited(attempt, outcome), expected, "{name}");
    }
}

#[test]
fn tries_are_capped_when_asked() {
    let policy = RetryPolicy {
        max_tries: Some(2),
        ..RetryPolicy::default()
    };
    let second = Attempt {
        number: 2,
        ..attempt()
    };
    assert_ne!(
        policy.decide(&attempt(), answered(502), 0.0),
        Verdict::Settled
    );
    assert_eq!(policy.decide(&second, answered(502), 0.0), Verdict::Settled);
}

#[test]
fn advice_beyond_the_budget_ends_the_tries() {
    let outcome = Outcome::Answered {
        status: 429,
        advised: Some(Duration::from_hours(24)),
    };
    assert!(!retried(&attempt(), outcome));
}

#[test]
fn go_durations() {
    for (text, nanoseconds) in [
        ("10.305464ms", Some(10_305_464)),
        ("880.092µs", Some(880_092)),
        ("1h2m3.5s", Some(3_723_500_000_000)),
        ("7ns", Some(7)),
        ("", None),
        ("soon", None),
        ("5", None),
        ("5 s", None),
        ("1.2.3s", None),
    ] {
        assert_eq!(
            go_duration(text),
            nanoseconds.map(Duration::from_nanos),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn waits_stay_in_bounds(previous in 0_u64..100_000, fraction in 0.0..1.0_f64, advised in proptest::option::of(0_u64..100_000)) {
        let policy = RetryPolicy::default();
        let advised = advised.map(Duration::from_millis);
        let wait = policy.wait(Duration::from_millis(previous), advised, fraction);
        prop_assert!(wait >= advised.unwrap_or_default());
        prop_assert!(wait >= Duration::from_millis(100));
        prop_assert!(wait <= policy.longest_wait.max(advised.unwrap_or_default()));
    }

    #[test]
    fn any_text_is_taken(text in ".{0,40}") {
        let _ = go_duration(&text);
    }

    #[test]
    fn any_retry_after_is_taken(value in prop_oneof![
        "[ -~]{0,60}",
        "-?[0-9]{1,30}(\\.[0-9]{0,9})?",
        "(Sun|Mon|Sat), [0-3][0-9] (Jan|Nov|Dec) [0-9]{4} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT",
    ]) {
        let mut headers = http::HeaderMap::new();
        headers.insert("retry-after", http::HeaderValue::from_str(&value).expect("it is ASCII"));
        let response = crate::request::Response {
            status: http::StatusCode::TOO_MANY_REQUESTS,
            headers,
            body: bytes::Bytes::new(),
            url: url::Url::parse("https://ghcr.io/v2/").expect("a URL"),
        };
        let advised = super::advised_wait(&response);
        prop_assert!(advised.is_none_or(|wait| wait <= Duration::from_hours(24)));
        // A plain number of seconds is taken as it is.
        if let Some(seconds) = value.parse::<u64>().ok().filter(|seconds| *seconds <= 86_400) {
            prop_assert_eq!(advised, Some(Duration::from_secs(seconds)));
        }
    }
}
