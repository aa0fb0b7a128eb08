//! Limits and refusals that pass, in other words than those in which they are known best.

use test_registry::{Action, Fault, Route};

use super::limits::waited;
use super::{Case, Form};

super::cases! {
    f08_waits_otherwise => waits_otherwise();
    f10_hostile_otherwise => hostile_otherwise();
    f13_wordless_otherwise => wordless_otherwise();
    f14_limits_otherwise => limits_otherwise();
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn waits_otherwise() -> Case {
    let date = "Sat, 21 Nov 2026 10:00:00 GMT";
    let limited = |what, route, status, after, body| {
        let headers = [("Date", date), ("Retry-After", after)];
        Form::new(what).guarded().fault(
            Fault::new(Action::answer(status, &headers, body))
                .on(route)
                .once(),
        )
    };
    Case::new(
        "F08",
        "advised waits",
        vec![
            limited(
                "429 with a date of RFC 850",
                Route::UploadStart,
                429,
                "Saturday, 21-Nov-26 10:00:04 GMT",
                "",
            )
            .check(|seen| waited(seen, 4.0)),
            limited(
                "503 with a date of C's `asctime`",
                Route::UploadStart,
                503,
                "Sat Nov 21 10:00:02 2026",
                "<html>",
            )
            .check(|seen| waited(seen, 2.0)),
            limited("429 at the token service", Route::Token, 429, "3", "")
                .check(|seen| waited(seen, 3.0)),
            limited("429 at the manifest", Route::ManifestPut, 429, "3", "{}")
                .check(|seen| waited(seen, 3.0)),
            limited(
                "429 at the very first request",
                Route::ManifestHead,
                429,
                "3",
                "",
            )
            .check(|seen| waited(seen, 3.0)),
        ],
    )
}

fn hostile_otherwise() -> Case {
    let form = |what, value| {
        Form::new(what).fault(
            Fault::new(Action::answer(429, &[("Retry-After", value)], ""))
                .on(Route::UploadStart)
                .times(3),
        )
    };
    Case::new(
        "F10",
        "hostile advice",
        vec![
            form("an empty `Retry-After`", ""),
            form("`Retry-After: NaN`", "NaN"),
            form("`Retry-After: inf`", "inf"),
            form("a date that has passed", "Sun, 06 Nov 1994 08:49:37 GMT"),
            form(
                "`Retry-After: 99999999999999999999`",
                "99999999999999999999",
            ),
            form("`Retry-After: 0.0001`", "0.0001"),
        ],
    )
}

fn wordless_otherwise() -> Case {
    let form = |what, body| {
        let wordless = || Fault::new(Action::answer(403, &[], body));
        Form::new(what).faults(vec![
            wordless().on(Route::UploadStart).times(2),
            wordless().on(Route::ManifestPut).once(),
        ])
    };
    Case::new(
        "F13",
        "403 without a word",
        vec![
            form("403 with a line break", "\r\n"),
            form("403 with an empty object", "{}"),
            form("403 with an empty list of errors", r#"{"errors":[]}"#),
            form("403 with `null`", "null"),
        ],
    )
}

fn limits_otherwise() -> Case {
    let form = |what, headers: &[(&str, &str)], body| {
        let limited = Action::answer(403, headers, body);
        Form::new(what).fault(Fault::new(limited).on(Route::UploadStart).times(2))
    };
    Case::new(
        "F14",
        "secondary rate limit",
        vec![
            form(
                "403 `API rate limit exceeded`",
                &[JSON],
                r#"{"message":"API rate limit exceeded for installation ID 1."}"#,
            ),
            form(
                "403 with words on abuse",
                &[JSON],
                r#"{"message":"You have triggered an abuse detection mechanism."}"#,
            ),
            form(
                "403 with `Retry-After`",
                &[("Retry-After", "5")],
                "Forbidden",
            )
            .check(|seen| waited(seen, 5.0)),
            form(
                "403 with the code TOOMANYREQUESTS",
                &[JSON],
                r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}"#,
            ),
            form(
                "403 with `X-RateLimit-Remaining: 0`",
                &[("X-RateLimit-Remaining", "0")],
                "Forbidden",
            ),
        ],
    )
}
