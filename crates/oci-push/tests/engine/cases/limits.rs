//! Registries that say "not now", and some that look as if they said "no".

use std::time::Duration;

use test_registry::{Action, Fault, Phase, Route};

use super::{Case, Form, Seen};
use crate::support::{MIB, WIDTH, crowded_after_a_limit};

super::cases! {
    f08_advised_waits => advised_waits();
    f09_limit_in_the_text => limit_in_the_text();
    f10_hostile_advice => hostile_advice();
    f12_outage => outage();
    f13_wordless_refusal => wordless_refusal();
    f14_secondary_limit => secondary_limit();
    f15_denied => denied();
}

/// Some wait is as long as the registry asked for, and not much longer.
pub(super) fn waited(seen: &Seen<'_>, seconds: f64) {
    let range = seconds..=seconds + 10.0;
    let waits = seen.waits;
    assert!(
        waits.iter().any(|wait| range.contains(&wait.as_secs_f64())),
        "{}: {waits:?}",
        seen.name
    );
}

fn advised_waits() -> Case {
    let limited = |status, headers: &[(&str, &str)]| {
        Fault::new(Action::answer(status, headers, ""))
            .on(Route::UploadStart)
            .once()
    };
    let date = [
        ("Date", "Sat, 21 Nov 2026 10:00:00 GMT"),
        ("Retry-After", "Sat, 21 Nov 2026 10:00:04 GMT"),
    ];
    Case::new(
        "F08",
        "advised waits",
        vec![
            Form::new("429 with `Retry-After: 3`")
                .fault(limited(429, &[("Retry-After", "3")]))
                .check(|seen| waited(seen, 3.0)),
            Form::new("429 with a date four seconds ahead of the registry's own clock")
                .fault(limited(429, &date))
                .check(|seen| waited(seen, 4.0)),
            Form::new("503 with `Retry-After: 2`")
                .fault(limited(503, &[("Retry-After", "2")]))
                .check(|seen| waited(seen, 2.0)),
            Form::new("429 with `Retry-After: 1.5`")
                .fault(limited(429, &[("Retry-After", "1.5")]))
                .check(|seen| waited(seen, 1.5)),
            Form::new("429 in answer to a whole blob")
                .fault(
                    Fault::new(Action::answer(429, &[("Retry-After", "3")], ""))
                        .on(Route::UploadCommit)
                        .body_over(MIB)
                        .at(Phase::BeforeState)
                        .once(),
                )
                .at_most(2.1)
                .check(|seen| waited(seen, 3.0)),
        ],
    )
}

/// After the first refusal few requests are in flight: what was on its way, and four at a time.
fn few_in_flight(seen: &Seen<'_>) {
    let crowded = crowded_after_a_limit(seen.journal);
    assert!(crowded <= WIDTH, "{}: {crowded}", seen.name);
    assert!(
        seen.waits
            .iter()
            .all(|wait| *wait >= Duration::from_millis(100) || wait.is_zero()),
        "{}: {:?}",
        seen.name,
        seen.waits
    );
}

fn limit_in_the_text() -> Case {
    let limited = Action::answer(
        429,
        &[("content-type", "application/json")],
        r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 250.1ms, allowed: 2000/minute"}]}"#,
    );
    let short = Action::error(
        429,
        "TOOMANYREQUESTS",
        "retry-after: 880.092\u{b5}s, allowed: 2000/minute",
    );
    let sizes: Vec<u64> = (0..40).map(|number| 1000 + number).collect();
    Case::new(
        "F09",
        "limit in the text",
        vec![
            Form::new(
                "answers the first 20 requests with 429, the wait as a Go duration in the message",
            )
            .layers(&sizes)
            .fault(Fault::new(limited.clone()).times(20))
            .check(few_in_flight),
            Form::new("the same with 880.092 microseconds")
                .layers(&sizes)
                .fault(Fault::new(short).on(Route::UploadStart).times(60))
                .check(|seen| {
                    few_in_flight(seen);
                    let longest = seen.waits.iter().max().expect("waits");
                    assert!(*longest < Duration::from_secs(3), "{longest:?}");
                }),
            Form::new("the same for uploads")
                .layers(&sizes)
                .fault(Fault::new(limited).on(Route::UploadStart).times(20))
                .check(few_in_flight),
        ],
    )
}

fn hostile_advice() -> Case {
    let limited = |value: &str, times| {
        Fault::new(Action::answer(429, &[("Retry-After", value)], ""))
            .on(Route::UploadStart)
            .times(times)
    };
    let patient = |seen: &Seen<'_>| {
        let shortest = seen.waits.iter().filter(|wait| !wait.is_zero()).min();
        assert!(
            shortest >= Some(&Duration::from_millis(100)),
            "{}: {shortest:?}",
            seen.name
        );
    };
    let digits: &'static str = "9".repeat(8000).leak();
    Case::new(
        "F10",
        "hostile advice",
        vec![
            Form::new("`Retry-After: 86400`")
                .fault(limited("86400", 100))
                .fails("429"),
            Form::new("`Retry-After: 0`")
                .fault(limited("0", 3))
                .check(patient),
            Form::new("`Retry-After: -5`")
                .fault(limited("-5", 3))
                .check(patient),
            Form::new("`Retry-After: soon`")
                .fault(limited("soon", 3))
                .check(patient),
            Form::new("`Retry-After` of 8000 digits")
                .fault(limited(digits, 3))
                .check(patient),
        ],
    )
}

fn outage() -> Case {
    Case::new(
        "F12",
        "outage",
        vec![
            Form::new("answers everything with 503, for ever")
                .fault(Fault::new(Action::answer(503, &[], "<html>down</html>")))
                .fails("503")
                .check(|seen| assert!(seen.journal.exchanges.len() <= 60, "{}", seen.name)),
            Form::new("the same from the first upload on")
                .faults(vec![
                    Fault::new(Action::answer(503, &[], "")).on(Route::UploadStart),
                    Fault::new(Action::answer(503, &[], "")).on(Route::UploadCommit),
                ])
                .fails("503")
                .check(|seen| assert!(seen.journal.exchanges.len() <= 200, "{}", seen.name)),
            Form::new("takes every blob and answers it with 503, for ever")
                .fault(
                    Fault::new(Action::answer(503, &[], ""))
                        .on(Route::UploadCommit)
                        .at(Phase::BeforeState),
                )
                .fails("503")
                .check(|seen| {
                    // The smallest is tried until the time is over, and no other.
                    let waited: Duration = seen.waits.iter().sum();
                    let least = Duration::from_mins(9);
                    assert!(waited >= least, "{}: {waited:?}", seen.name);
                    let most = 4 * seen.sample.blob_bytes();
                    assert!(seen.journal.blob_bytes() <= most, "{}", seen.name);
                }),
        ],
    )
}

fn wordless_refusal() -> Case {
    let empty = || Fault::new(Action::answer(403, &[], ""));
    let refused = |media_type, body| {
        Fault::new(Action::answer(403, &[("content-type", media_type)], body))
            .on(Route::UploadStart)
            .times(2)
    };
    Case::new(
        "F13",
        "403 without a word",
        vec![
            Form::new("403 without a body for two uploads and a manifest, then as ever")
                .faults(vec![
                    empty().on(Route::UploadStart).times(2),
                    empty().on(Route::ManifestPut).once(),
                ])
                .check(|seen| waited(seen, 2.0)),
            Form::new("403 with the word `Forbidden` for two uploads")
                .fault(refused("text/plain", "Forbidden\n"))
                .check(|seen| waited(seen, 2.0)),
            Form::new("the same with a proxy's page")
                .fault(refused(
                    "text/html",
                    "<html><head><title>403 Forbidden</title></head></html>",
                ))
                .check(|seen| waited(seen, 2.0)),
            Form::new("the same with an empty list of errors")
                .fault(refused("application/json", r#"{"errors":[]}"#))
                .check(|seen| waited(seen, 2.0)),
            Form::new("403 with `Retry-After: 7`")
                .fault(
                    Fault::new(Action::answer(403, &[("Retry-After", "7")], "Forbidden"))
                        .on(Route::UploadStart)
                        .once(),
                )
                .check(|seen| waited(seen, 7.0)),
            Form::new("403 without a body for a blob that was sent whole")
                .fault(
                    empty()
                        .on(Route::UploadCommit)
                        .body_over(MIB)
                        .at(Phase::BeforeState)
                        .once(),
                )
                .at_most(2.1),
        ],
    )
}

fn secondary_limit() -> Case {
    const INTERMEDIARY: &str = r#"{"errors":[{"code":"DENIED","message":"permission_denied: Error from intermediary with HTTP status code 403 \"Forbidden\" - with-body: {\"message\": \"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.\"}"}]}"#;
    const BARE: &str = r#"{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}"#;
    let limited = |body, route| {
        Fault::new(Action::answer(
            403,
            &[("content-type", "application/json")],
            body,
        ))
        .on(route)
        .times(2)
    };
    Case::new(
        "F14",
        "secondary rate limit",
        vec![
            Form::new("403 with GitHub's words on its secondary rate limit, told as a permission")
                .fault(limited(INTERMEDIARY, Route::UploadStart))
                .check(|seen| waited(seen, 60.0)),
            Form::new("the same without an envelope, for a manifest")
                .fault(limited(BARE, Route::ManifestPut))
                .check(|seen| waited(seen, 60.0)),
            Form::new("the same with `Retry-After: 5` six times: it is obeyed each time")
                .fault(
                    Fault::new(Action::answer(403, &[("Retry-After", "5")], BARE))
                        .on(Route::ManifestPut)
                        .times(6),
                )
                .check(|seen| {
                    let limit = Duration::from_secs(10);
                    assert!(
                        seen.waits.iter().all(|wait| *wait < limit),
                        "{:?}",
                        seen.waits
                    );
                }),
        ],
    )
}

fn denied() -> Case {
    Case::new(
        "F15",
        "denied",
        vec![
            Form::new("`permission_denied: write_package` for every write")
                .faults(
                    [Route::UploadStart, Route::UploadCommit, Route::ManifestPut]
                        .map(|route| {
                            let denied =
                                Action::error(403, "DENIED", "permission_denied: write_package");
                            Fault::new(denied).on(route)
                        })
                        .to_vec(),
                )
                .fails("permission_denied: write_package")
                .check(|seen| {
                    assert_eq!(seen.journal.blob_bytes(), 0, "{}", seen.name);
                    assert_eq!(seen.waits, [Duration::ZERO; 0], "{}", seen.name);
                }),
        ],
    )
}
