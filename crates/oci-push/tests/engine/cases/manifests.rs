//! Manifests, and registries that do not see what they have.

use std::time::Duration;

use test_registry::{Action, Fault, Phase, Route};

use super::{Case, Form, Seen};

super::cases! {
    f22_not_visible => not_visible();
    f23_lost_tag => lost_tag();
}

fn unknown(digest: Option<&str>) -> Action {
    let detail = digest.map(|digest| serde_json::json!({ "digest": digest }));
    let body = serde_json::json!({ "errors": [{
        "code": "MANIFEST_BLOB_UNKNOWN",
        "message": "blob unknown to registry",
        "detail": detail,
    }] });
    Action::answer(
        404,
        &[("content-type", "application/json")],
        &body.to_string(),
    )
}

fn not_visible() -> Case {
    Case::new(
        "F22",
        "blobs not visible",
        vec![
            Form::new("answers the manifest with MANIFEST_BLOB_UNKNOWN for three seconds")
                .fault(Fault::new(unknown(None)).on(Route::ManifestPut).times(3)),
            Form::new("has lost a blob that it confirms when asked, and names it")
                .scripted(|sample| {
                    let lost = unknown(Some(sample.largest()));
                    vec![Fault::new(lost).on(Route::ManifestPut).times(6)]
                })
                .at_most(2.1),
            Form::new("has lost one, and does not name it")
                .fault(Fault::new(unknown(None)).on(Route::ManifestPut).times(6))
                .at_most(2.1),
            Form::new("answers the manifest with MANIFEST_BLOB_UNKNOWN for a minute")
                .fault(Fault::new(unknown(None)).on(Route::ManifestPut).times(8))
                .at_most(2.1),
            Form::new("the same for ever")
                .fault(Fault::new(unknown(None)).on(Route::ManifestPut))
                .fails("blob unknown to registry")
                .check(|seen| {
                    let waited: Duration = seen.waits.iter().sum();
                    assert!((118..=120).contains(&waited.as_secs()), "{}", seen.name);
                }),
            Form::new("has lost a blob, and says so in plain text")
                .fault(
                    Fault::new(Action::answer(400, &[], "unknown blob"))
                        .on(Route::ManifestPut)
                        .times(6),
                )
                .at_most(2.1),
            Form::new("does not show the tag for five seconds after it was set")
                .fault(
                    Fault::new(Action::answer(404, &[], ""))
                        .on(Route::ManifestHead)
                        .from_request(2)
                        .times(3),
                )
                .fault_also(
                    Fault::new(Action::answer(404, &[], ""))
                        .on(Route::ManifestGet)
                        .times(3),
                ),
        ],
    )
}

/// The tag is asked for after the second try.
/// Two tries, of which each may be sent once more if its connection had been idle.
fn put_twice(seen: &Seen<'_>) {
    let puts = seen.journal.count(Route::ManifestPut);
    assert!((2..=4).contains(&puts), "{}: {puts}", seen.name);
}

fn lost_tag() -> Case {
    Case::new(
        "F23",
        "manifests and tags",
        vec![
            Form::new("sets the tag, and resets the connection instead of answering").fault(
                Fault::new(Action::Reset)
                    .on(Route::ManifestPut)
                    .at(Phase::AfterState)
                    .once(),
            ),
            Form::new("has set the tag to another push's image when it is asked for it").fault(
                Fault::new(Action::SetHeader(
                    "docker-content-digest".to_owned(),
                    format!("sha256:{}", "0".repeat(64)),
                ))
                .on(Route::ManifestHead)
                .from_request(2)
                .once(),
            ),
            Form::new("the same every time")
                .fault(
                    Fault::new(Action::Reset)
                        .on(Route::ManifestPut)
                        .at(Phase::AfterState),
                )
                .check(put_twice),
            Form::new("the same with 504 from a proxy")
                .fault(
                    Fault::new(Action::answer(
                        504,
                        &[],
                        "<html>504 Gateway Time-out</html>",
                    ))
                    .on(Route::ManifestPut)
                    .at(Phase::AfterState),
                )
                .check(put_twice),
            Form::new("answers every HEAD for a manifest with 405")
                .fault(Fault::new(Action::answer(405, &[], "")).on(Route::ManifestHead)),
            Form::new("answers 400 when it is asked what the tag names")
                .fault(
                    Fault::new(Action::answer(400, &[], ""))
                        .on(Route::ManifestHead)
                        .once(),
                )
                .fault_also(
                    Fault::new(Action::answer(400, &[], ""))
                        .on(Route::ManifestGet)
                        .once(),
                ),
            Form::new("answers every HEAD for a manifest with 503, and a GET as ever")
                .fault(Fault::new(Action::answer(503, &[], "")).on(Route::ManifestHead)),
            Form::new("answers the tag with 500 for ever")
                .fault(Fault::new(Action::answer(500, &[], "broken")).on(Route::ManifestPut))
                .fails("500"),
        ],
    )
}
