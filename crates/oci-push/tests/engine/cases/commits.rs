//! Closing requests whose answer is late, lost or wrong.

use std::time::Duration;

use test_registry::{Action, Fault, Personality, Phase, Route};

use super::{Case, Form, Seen, in_chunks};
use crate::support::MIB;

super::cases! {
    f04_silent_commit => silent_commit();
    f05_slow_commit => slow_commit();
    f06_lost_confirmation => lost_confirmation();
    f07_session_gone => session_gone();
    f20_other_confirmations => other_confirmations();
    f21_digest_mismatch => digest_mismatch();
}

/// No blob is closed twice: ghcr.io loses every fifth of those.
fn one_commit_each(seen: &Seen<'_>) {
    for (digest, _) in &seen.sample.blobs {
        let commits = seen.journal.uploads_of(digest).commits;
        assert_eq!(commits, 1, "{}: {digest}", seen.name);
    }
}

fn commit(action: Action) -> Fault {
    Fault::new(action).on(Route::UploadCommit)
}

fn silent_commit() -> Case {
    Case::new(
        "F04",
        "silent commit",
        vec![
            Form::new("stores every blob, and never answers")
                .fault(commit(Action::Stall).at(Phase::AfterState))
                .with(|options| options.commit_patience = Duration::from_millis(200))
                .check(one_commit_each),
        ],
    )
}

fn slow_commit() -> Case {
    Case::new(
        "F05",
        "slow commit",
        vec![
            Form::new("takes its time for every commit; another closing request meanwhile would lose the blob")
                .fault(commit(Action::Delay(Duration::from_secs(2))).at(Phase::BeforeState))
                .with(|options| options.commit_patience = Duration::from_millis(300))
                .check(one_commit_each),
        ],
    )
}

fn lost_confirmation() -> Case {
    let lost = |action| commit(action).at(Phase::AfterState);
    Case::new(
        "F06",
        "lost confirmation",
        vec![
            Form::new("stores every blob, and resets the connection instead of answering")
                .fault(lost(Action::Reset))
                .check(one_commit_each),
            Form::new("the same with a closed connection").fault(lost(Action::Close)),
            Form::new("the same with 502 from a proxy").fault(lost(Action::answer(
                502,
                &[],
                "<html>",
            ))),
            Form::new("the same in chunks")
                .fault(lost(Action::Reset))
                .with(in_chunks),
            Form::new("answers three bodies with 503, and stores nothing")
                .fault(refused_body(503).times(3))
                .with(|options| options.upload_mode = oci_push::UploadMode::Stream)
                .at_most(4.1)
                .check(|seen| {
                    // The bodies are spread over minutes.
                    let waited: Duration = seen.waits.iter().sum();
                    assert!(waited >= Duration::from_mins(3), "{}", seen.name);
                }),
            Form::new("answers every body with 500 for ever, and stores nothing")
                .fault(refused_body(500))
                .with(|options| options.upload_mode = oci_push::UploadMode::Stream)
                .fails("gave up after 4 uploads of blob")
                .check(at_most_four),
            Form::new("resets every connection after nine tenths of a body, for ever")
                .layers(&[40 * MIB, 20 * MIB])
                .fault(
                    Fault::new(Action::Reset)
                        .on(Route::UploadCommit)
                        .at(Phase::AfterBodyBytes(18 * MIB))
                        .body_over(MIB),
                )
                .with(|options| options.upload_mode = oci_push::UploadMode::Stream)
                .fails("gave up after")
                .check(at_most_four),
        ],
    )
}

fn refused_body(status: u16) -> Fault {
    commit(Action::answer(status, &[], ""))
        .body_over(MIB)
        .at(Phase::BeforeState)
}

/// No more than four times the image's bytes are sent, whatever becomes of them.
fn at_most_four(seen: &Seen<'_>) {
    let sent = seen.journal.blob_bytes();
    let most = 4 * seen.sample.blob_bytes();
    assert!(sent <= most, "{}: {sent} of {most} bytes", seen.name);
}

/// Refuses every large body at its end.
fn refused(status: u16, code: &str, message: &str) -> Fault {
    commit(Action::error(status, code, message))
        .body_over(MIB)
        .at(Phase::BeforeState)
}

/// A refusal that says why is believed.
fn one_commit_of_large(seen: &Seen<'_>) {
    let commits = seen.journal.uploads_of(seen.sample.largest()).commits;
    assert_eq!(commits, 1, "{}", seen.name);
}

fn session_gone() -> Case {
    let unknown = || {
        Action::error(
            404,
            "BLOB_UPLOAD_UNKNOWN",
            "blob upload unknown to registry",
        )
    };
    let lost = || {
        let unknown = Action::error(404, "BLOB_UNKNOWN", "blob unknown to registry");
        commit(unknown).body_over(MIB).at(Phase::BeforeState)
    };
    Case::new(
        "F07",
        "session gone",
        vec![
            Form::new("answers the commit with 404 BLOB_UPLOAD_UNKNOWN, and has the blob")
                .fault(commit(unknown()).at(Phase::AfterState).once()),
            Form::new("answers the commit with 404 BLOB_UNKNOWN, and has lost the blob")
                .fault(lost().once())
                .at_most(2.1),
            Form::new("answers the commit with 410, and has lost the blob")
                .fault(refused_body(410).once())
                .at_most(2.1),
            Form::new("the same for every closing request with more than 1 MiB")
                .fault(lost())
                .at_most(4.0)
                .check(at_most_four),
            Form::new(
                "answers two closing requests with 400 BLOB_UPLOAD_UNKNOWN, and has lost the blob",
            )
            .fault(refused(400, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown").times(2))
            .at_most(3.1),
            Form::new("answers the commit with 400 UNKNOWN, unexpected EOF")
                .fault(refused(400, "UNKNOWN", "unexpected EOF").once())
                .at_most(2.1),
            Form::new("answers with 400 and a proxy's page in the middle of two bodies")
                .fault(
                    commit(Action::answer(400, &[], "<html>400 Bad Request</html>"))
                        .body_over(MIB)
                        .at(Phase::AfterBodyBytes(4 * MIB))
                        .times(2),
                )
                .at_most(3.1),
            Form::new("answers every commit with 400 UNKNOWN, for ever")
                .fault(refused(400, "UNKNOWN", "unexpected EOF"))
                .with(|options| options.upload_mode = oci_push::UploadMode::Stream)
                .fails("answered 400")
                .check(at_most_four),
            Form::new("answers the commit with 400 NAME_INVALID")
                .fault(refused(400, "NAME_INVALID", "invalid repository name"))
                .fails("answered 400")
                .check(one_commit_of_large),
            Form::new("answers 404 after 40 % of the body")
                .fault(commit(unknown()).at(Phase::AfterBodyBytes(4 * MIB)).once())
                .at_most(2.1),
            Form::new("answers a chunk in the middle with 404")
                .fault(
                    Fault::new(unknown())
                        .on(Route::UploadChunk)
                        .from_request(4)
                        .once(),
                )
                .with(in_chunks)
                .at_most(2.1),
        ],
    )
}

fn other_confirmations() -> Case {
    let chunk = |status| Fault::new(Action::EditStatus(status)).on(Route::UploadChunk);
    let stored = |status| commit(Action::EditStatus(status));
    Case::new(
        "F20",
        "other confirmations",
        vec![
            Form::new("answers chunks with 201")
                .fault(chunk(201))
                .with(in_chunks),
            Form::new("answers chunks with 204")
                .fault(chunk(204))
                .with(in_chunks),
            Form::new("answers the commit with 200")
                .fault(stored(200))
                .check(one_commit_each),
            Form::new("answers the commit with 202")
                .fault(stored(202))
                .check(one_commit_each),
            Form::new("answers the commit with 204")
                .fault(stored(204))
                .check(one_commit_each),
            Form::new("answers the commit with 203")
                .fault(stored(203))
                .check(one_commit_each),
            Form::new("answers the commit with 409 without a word, and stores nothing, once")
                .fault(refused_body(409).once())
                .at_most(2.1),
            Form::new("answers the commit with 409 and a code, and stores nothing, once")
                .fault(refused(409, "CONFLICT", "upload in progress elsewhere").once())
                .at_most(2.1),
            Form::new("answers the commit with a page and 200, and stores nothing, once")
                .fault(
                    commit(Action::answer(200, &[], "<html>log in</html>"))
                        .body_over(MIB)
                        .at(Phase::BeforeState)
                        .once(),
                )
                .at_most(2.1),
            Form::new("answers the commit with 202, and stores nothing")
                .fault(
                    commit(Action::answer(202, &[], ""))
                        .at(Phase::BeforeState)
                        .body_over(MIB),
                )
                .fails("does not have"),
            Form::new(
                "loses the answer to a chunk, and knows better than 416 where the session stands",
            )
            .personality(Personality::Ghcr)
            .guarded()
            .fault(
                Fault::new(Action::Reset)
                    .on(Route::UploadChunk)
                    .at(Phase::AfterState)
                    .from_request(3)
                    .once(),
            )
            .with(in_chunks),
        ],
    )
}

fn digest_mismatch() -> Case {
    let invalid = || {
        Action::error(
            400,
            "DIGEST_INVALID",
            "provided digest did not match uploaded content",
        )
    };
    Case::new(
        "F21",
        "digest mismatch",
        vec![
            Form::new("finds other bytes than were sent, once")
                .fault(
                    commit(invalid())
                        .body_over(MIB)
                        .at(Phase::BeforeState)
                        .once(),
                )
                .at_most(2.1),
            Form::new("lets every chunk take the place of those before it")
                .personality(Personality::GhcrOverwriting)
                .guarded()
                .with(in_chunks)
                .at_most(2.1),
            Form::new("finds other bytes every time")
                .layers(&[2 * MIB])
                .fault(commit(invalid()).body_over(MIB).at(Phase::BeforeState))
                .fails("provided digest did not match"),
        ],
    )
}
