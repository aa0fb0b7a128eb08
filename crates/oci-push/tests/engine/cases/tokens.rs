//! Tokens that end, and token services in trouble.

use std::time::Duration;

use test_registry::{Action, Authentication, Fault, Personality, Phase, Route};

use super::{Case, Form, Seen, in_chunks};
use crate::support::{MIB, PASSWORD, USERNAME};

super::cases! {
    f16_token_ends => token_ends();
    f17_token_service => token_service();
}

fn tokens(seen: &Seen<'_>, most: usize) {
    let fetched = seen.journal.count(Route::Token);
    assert!(fetched <= most, "{}: {fetched} tokens", seen.name);
}

/// No session is closed twice, whatever was answered.
fn one_closing_request_each(seen: &Seen<'_>) {
    let mut sessions: Vec<&str> = seen
        .journal
        .of(Route::UploadCommit)
        .map(|one| one.path.as_str())
        .collect();
    let requests = sessions.len();
    sessions.sort_unstable();
    sessions.dedup();
    assert_eq!(sessions.len(), requests, "{}", seen.name);
}

fn token_ends() -> Case {
    let revoked = |route, phase| Fault::new(Action::RevokeTokens).on(route).at(phase).once();
    let unauthorized = Action::answer(401, &[], "");
    let closing = || {
        Fault::new(Action::answer(401, &[], ""))
            .on(Route::UploadCommit)
            .body_over(100_000)
            .once()
    };
    let sizes: Vec<u64> = (0..40).map(|number| 1000 + number).collect();
    let mut short =
        Form::new("gives tokens that are good for two seconds, to a push that lasts longer")
            .layers(&[3 * MIB, MIB, MIB])
            .with(in_chunks)
            .at_most(3.0)
            .check(|seen| tokens(seen, 10));
    short.registry.rate = Some(MIB);
    short.registry.authentication = Authentication::Bearer {
        username: USERNAME.to_owned(),
        password: PASSWORD.to_owned(),
        lifetime: Some(Duration::from_secs(2)),
    };
    Case::new(
        "F16",
        "token ends",
        vec![
            Form::new("takes no token back that was good, once the first blob is stored")
                .guarded()
                .layers(&[MIB, MIB, MIB])
                .fault(revoked(Route::UploadCommit, Phase::AfterState))
                .at_most(2.1)
                .check(|seen| tokens(seen, 3)),
            Form::new("answers a whole blob with 401 and no challenge")
                .guarded()
                .personality(Personality::Ghcr)
                .fault(
                    Fault::new(unauthorized)
                        .on(Route::UploadCommit)
                        .body_over(MIB)
                        .at(Phase::BeforeState)
                        .once(),
                )
                .at_most(2.1)
                .check(|seen| tokens(seen, 3)),
            Form::new("stores a whole blob, and answers 401")
                .guarded()
                .fault(
                    Fault::new(Action::answer(401, &[], ""))
                        .on(Route::UploadCommit)
                        .body_over(MIB)
                        .at(Phase::AfterState)
                        .once(),
                )
                .check(|seen| tokens(seen, 3)),
            Form::new("answers the closing request of chunks with 401, and stores nothing")
                .guarded()
                .fault(closing().at(Phase::BeforeState))
                .with(in_chunks)
                .at_most(2.1)
                .check(one_closing_request_each),
            Form::new("the same, and stores the blob")
                .guarded()
                .fault(closing().at(Phase::AfterState))
                .with(in_chunks)
                .check(one_closing_request_each),
            Form::new("takes the token back between two chunks")
                .guarded()
                .fault(revoked(Route::UploadChunk, Phase::AfterState))
                .with(in_chunks)
                .check(|seen| tokens(seen, 2)),
            Form::new(
                "takes the token back at the 16th and the 32nd start of an upload, of 40 blobs",
            )
            .guarded()
            .layers(&sizes)
            .faults(
                (1..=2)
                    .map(|number| {
                        revoked(Route::UploadStart, Phase::AfterState).from_request(16 * number)
                    })
                    .collect(),
            )
            .at_most(3.0),
            Form::new("takes the token back before the manifest")
                .guarded()
                .fault(revoked(Route::ManifestPut, Phase::BeforeHead))
                .check(|seen| tokens(seen, 2)),
            short,
        ],
    )
}

fn token_service() -> Case {
    let service = |action| Fault::new(action).on(Route::Token);
    let member = |name: &str, value: Option<serde_json::Value>| {
        service(Action::SetMember(name.to_owned(), value))
    };
    let few = |seen: &Seen<'_>| tokens(seen, 10);
    Case::new(
        "F17",
        "token service",
        vec![
            Form::new("takes two seconds for a token")
                .guarded()
                .fault(service(Action::Delay(Duration::from_secs(2))))
                .check(few),
            Form::new("answers 503 twice")
                .guarded()
                .fault(service(Action::answer(503, &[], "")).times(2))
                .check(few),
            Form::new("answers with half a token's JSON once, and with a page once")
                .guarded()
                .faults(vec![
                    service(Action::answer(200, &[], r#"{"token":"abc"#)).once(),
                    service(Action::answer(200, &[], "<html>")).once(),
                ])
                .check(few),
            Form::new("answers with a page for ever")
                .guarded()
                .fault(service(Action::answer(200, &[], "<html>")))
                .fails("the token service answered with a page"),
            Form::new("does not say how long a token is good for")
                .guarded()
                .fault(member("expires_in", None))
                .check(few),
            Form::new("says that a token is good for no time")
                .guarded()
                .fault(member("expires_in", Some(0.into())))
                .check(few),
            Form::new("has issued the token an hour ago by its own clock")
                .guarded()
                .fault(member("issued_at", Some("2020-01-01T00:00:00Z".into())))
                .check(few),
            Form::new("will issue the token in an hour by its own clock")
                .guarded()
                .fault(member("issued_at", Some("2100-01-01T00:00:00Z".into())))
                .check(few),
            Form::new("calls the token access_token")
                .guarded()
                .fault(service(Action::RenameMember(
                    "token".to_owned(),
                    "access_token".to_owned(),
                )))
                .check(few),
            Form::new("refuses with a reason")
                .guarded()
                .fault(service(Action::error(
                    403,
                    "DENIED",
                    "this organization requires single sign-on",
                )))
                .fails("this organization requires single sign-on")
                .check(|seen| {
                    // Nothing is tried without a token.
                    assert_eq!(seen.journal.mutating(), 0, "{}", seen.name);
                }),
        ],
    )
}
