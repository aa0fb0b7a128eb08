//! The same cases in other words: other statuses, texts, headers and forms than those in which they are known best.

use test_registry::{Action, Fault, Personality, Phase, Route};

use super::{Case, Form, in_chunks};
use crate::support::MIB;

super::cases! {
    f07_sessions_gone_otherwise => sessions_gone_otherwise();
    f16_tokens_otherwise => tokens_otherwise();
    f17_token_answers_otherwise => token_answers_otherwise();
    f18_caps_otherwise => caps_otherwise();
    f20_statuses_otherwise => statuses_otherwise();
    f22_unknown_blobs_otherwise => unknown_blobs_otherwise();
    f23_tags_otherwise => tags_otherwise();
    f26_redirects_otherwise => redirects_otherwise();
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn sessions_gone_otherwise() -> Case {
    let commit = |action| {
        Fault::new(action)
            .on(Route::UploadCommit)
            .body_over(MIB)
            .at(Phase::BeforeState)
            .once()
    };
    let invalid = || Action::error(400, "BLOB_UPLOAD_INVALID", "blob upload invalid");
    Case::new(
        "F07",
        "session gone",
        vec![
            Form::new("answers the commit with 404 and a page")
                .fault(commit(Action::answer(404, &[], "<html>Not Found</html>")))
                .at_most(2.1),
            Form::new("answers the commit with 410")
                .fault(commit(Action::answer(410, &[], "gone")))
                .at_most(2.1),
            Form::new("answers the commit with BLOB_UPLOAD_INVALID")
                .fault(commit(invalid()))
                .at_most(2.1),
            Form::new("answers a chunk with BLOB_UPLOAD_INVALID")
                .fault(
                    Fault::new(invalid())
                        .on(Route::UploadChunk)
                        .from_request(4)
                        .once(),
                )
                .with(in_chunks)
                .at_most(2.1),
        ],
    )
}

fn tokens_otherwise() -> Case {
    let unauthorized = || Action::error(401, "UNAUTHORIZED", "authentication required");
    let once = |route| {
        Fault::new(unauthorized())
            .on(route)
            .at(Phase::BeforeState)
            .once()
    };
    Case::new(
        "F16",
        "token ends",
        vec![
            Form::new("answers 401 without a challenge, once for every kind of request")
                .guarded()
                .faults(
                    [
                        Route::BlobHead,
                        Route::UploadStart,
                        Route::UploadChunk,
                        Route::UploadCommit,
                        Route::ManifestPut,
                    ]
                    .map(once)
                    .to_vec(),
                )
                .with(in_chunks)
                .at_most(2.1),
        ],
    )
}

fn token_answers_otherwise() -> Case {
    let form = |what, action| {
        Form::new(what)
            .guarded()
            .fault(Fault::new(action).on(Route::Token).once())
    };
    Case::new(
        "F17",
        "token service",
        vec![
            form(
                "answers 200 with half an object, once",
                Action::answer(200, &[JSON], r#"{"tok"#),
            ),
            form(
                "answers 200 with nothing, once",
                Action::answer(200, &[JSON], ""),
            ),
            form(
                "answers 200 with a page, once",
                Action::answer(200, &[], "<html>"),
            ),
            form(
                "answers 403 with nothing, once",
                Action::answer(403, &[], ""),
            ),
            form(
                "gives the lifetime as text",
                Action::SetMember("expires_in".to_owned(), Some("300".into())),
            ),
            form(
                "gives `access_token` beside an empty `token`",
                Action::RenameMember("token".to_owned(), "access_token".to_owned()),
            ),
        ],
    )
}

fn caps_otherwise() -> Case {
    let form = |what, status, body| {
        Form::new(what)
            .fault(
                Fault::new(Action::answer(status, &[], body))
                    .on(Route::UploadChunk)
                    .body_over(4 * MIB),
            )
            .with(|options| {
                in_chunks(options);
                options.chunk_size = Some(5 * MIB);
            })
            .at_most(2.1)
    };
    Case::new(
        "F18",
        "chunk limit",
        vec![
            form(
                "416 `exceeds the maximum permissible limit` for chunks over 4 MiB",
                416,
                "the request body exceeds the maximum permissible limit of 4.00MiB",
            ),
            form(
                "416 `Request Entity Too Large`",
                416,
                "<html>Request Entity Too Large</html>",
            ),
            form("413 without a word", 413, ""),
            form(
                "400 SIZE_INVALID",
                400,
                r#"{"errors":[{"code":"SIZE_INVALID","message":"chunk too large"}]}"#,
            ),
        ],
    )
}

fn statuses_otherwise() -> Case {
    let form = |what, route, status| {
        Form::new(what)
            .fault(Fault::new(Action::EditStatus(status)).on(route))
            .with(in_chunks)
    };
    Case::new(
        "F20",
        "other confirmations",
        vec![
            form("opens sessions with 201", Route::UploadStart, 201),
            form("opens sessions with 200", Route::UploadStart, 200),
            form("opens sessions with 204", Route::UploadStart, 204),
            form("answers chunks with 200", Route::UploadChunk, 200),
            form("answers manifests with 200", Route::ManifestPut, 200),
            form("answers manifests with 202", Route::ManifestPut, 202),
            form("answers manifests with 204", Route::ManifestPut, 204),
            Form::new("answers the commit with 201, and stores nothing, once")
                .fault(
                    Fault::new(Action::answer(201, &[], ""))
                        .on(Route::UploadCommit)
                        .body_over(MIB)
                        .at(Phase::BeforeState)
                        .once(),
                )
                .at_most(2.1),
        ],
    )
}

fn unknown_blobs_otherwise() -> Case {
    let form = |what, status, code| {
        let unknown = Action::error(status, code, "unknown to registry");
        Form::new(what).fault(Fault::new(unknown).on(Route::ManifestPut).times(3))
    };
    Case::new(
        "F22",
        "blobs not visible",
        vec![
            form("the same with 400", 400, "MANIFEST_BLOB_UNKNOWN"),
            form("400 BLOB_UNKNOWN", 400, "BLOB_UNKNOWN"),
            form("404 MANIFEST_UNKNOWN", 404, "MANIFEST_UNKNOWN"),
            form("422 MANIFEST_BLOB_UNKNOWN", 422, "MANIFEST_BLOB_UNKNOWN"),
        ],
    )
}

fn tags_otherwise() -> Case {
    let form = |what, action| {
        Form::new(what).fault(
            Fault::new(action)
                .on(Route::ManifestPut)
                .at(Phase::AfterState)
                .once(),
        )
    };
    Case::new(
        "F23",
        "manifests and tags",
        vec![
            form(
                "sets the tag, and answers 500",
                Action::answer(500, &[], ""),
            ),
            form(
                "sets the tag, and answers 504",
                Action::answer(504, &[], "<html>"),
            ),
            form("sets the tag, and closes the connection", Action::Close),
        ],
    )
}

fn redirects_otherwise() -> Case {
    let redirect = |status, location: &str| Action::answer(status, &[("Location", location)], "");
    let closing = |status| {
        move |sample: &test_registry::Sample| {
            let location = format!("?digest={}&again=1", sample.largest());
            let again = Action::answer(status, &[("Location", &location)], "");
            vec![
                Fault::new(again)
                    .on(Route::UploadCommit)
                    .body_over(10_000)
                    .once(),
            ]
        }
    };
    Case::new(
        "F26",
        "locations and redirects",
        vec![
            Form::new("redirects a blob with 307 on its own origin, once")
                .personality(Personality::Ghcr)
                .layers(&[60_000, 500])
                .scripted(closing(307))
                .at_most(2.1),
            Form::new("redirects a blob with 308")
                .personality(Personality::Ghcr)
                .layers(&[60_000, 500])
                .scripted(closing(308))
                .at_most(2.1),
            Form::new("redirects the start of an upload three times").fault(
                Fault::new(redirect(307, "?again=1"))
                    .on(Route::UploadStart)
                    .times(3),
            ),
            Form::new("redirects the manifest with 307").fault(
                Fault::new(redirect(307, "/v2/owner/app/manifests/1?again=1"))
                    .on(Route::ManifestPut)
                    .once(),
            ),
            Form::new("redirects the start of an upload with 303")
                .fault(Fault::new(redirect(303, "?again=1")).on(Route::UploadStart))
                .fails("redirect"),
        ],
    )
}
