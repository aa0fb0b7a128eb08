//! `docs/reliability.md`, written from the table of cases.

use std::fmt::Write as _;

use expect_test::expect_file;

use super::{Case, Outcome, answers, commits, limits, links, manifests, sessions, tokens};

/// Cases that are shown elsewhere, since they need another clock, a process or several.
const ELSEWHERE: [(&str, &str, &str, &str, &str); 11] = [
    (
        "F08",
        "advised waits",
        "429 in a page with bare line feeds, as Docker Hub's proxy sends it",
        "understood, and the wait kept",
        "`engine/early.rs`",
    ),
    (
        "F23",
        "manifests and tags",
        "answers the second of three tags with 500",
        "fails; the others are set, and the output says which",
        "`engine/endurance.rs`",
    ),
    (
        "F23",
        "manifests and tags",
        "eight pushes race for one tag",
        "all published; the tag is one of them, and nothing is missing",
        "`engine/scale.rs`",
    ),
    (
        "F24",
        "HTTP/2",
        "GOAWAY, refused streams, windows that stay shut",
        "not exposed: the tool speaks HTTP/1.1",
        "-",
    ),
    (
        "F25",
        "certificates",
        "an expired certificate, one of another host, one nobody trusts",
        "fails at once; nothing is sent",
        "`engine/tls.rs`",
    ),
    (
        "F25",
        "certificates",
        "cuts two handshakes off",
        "published",
        "`engine/tls.rs`",
    ),
    (
        "F27",
        "local trouble",
        "a layer's bytes are not those of its digest, or change between two tries",
        "fails; no tag is set",
        "`it/failures.rs`, `body/tests.rs`",
    ),
    (
        "F27",
        "local trouble",
        "1,000 layers, 100 of them twice",
        "published; each blob once, at most 64 connections",
        "`engine/scale.rs`",
    ),
    (
        "F27",
        "local trouble",
        "an empty layer",
        "published",
        "`engine/uploads.rs`",
    ),
    (
        "F28",
        "signals",
        "SIGHUP, SIGINT or SIGTERM in the middle of a layer",
        "ends at once with 129, 130 or 143, cancels what is open; the next run sends no finished blob",
        "`it/interruptions.rs`",
    ),
    (
        "F28",
        "signals",
        "a run is cut off in the middle of a chunked upload",
        "the next one goes on with it",
        "`engine/resumption.rs`",
    ),
];

const HEAD: &str = "\
# Reliability

What may happen on the way to a registry, and what comes of it. Every row is a test that runs with `cargo xtask test`,
against a real HTTP server that does what the row says; the table is written by the tests (`UPDATE_EXPECT=1 cargo test -p
oci-push --test engine cases`), so that it says what they hold.

\"Published\" means: exit code 0, the tag names the image, every blob is stored with the right digest, and no more than so
many times the image's bytes were sent. \"Fails\" means: another exit code, no tag is set, and these are words of the message.

";

#[test]
fn the_document_is_what_is_tested() {
    let mut text = HEAD.to_owned();
    text += "| case | what the registry does | result | shown by |\n|---|---|---|---|\n";
    let cases = [
        links::all(),
        commits::all(),
        limits::all(),
        answers::all(),
        tokens::all(),
        sessions::all(),
        manifests::all(),
    ];
    let mut rows: Vec<(String, String)> = cases.iter().flatten().flat_map(rows_of).collect();
    rows.extend(ELSEWHERE.map(|(id, name, what, result, shown)| {
        (
            id.to_owned(),
            format!("| {id} {name} | {what} | {result} | {shown} |"),
        )
    }));
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (_, row) in rows {
        let _ = writeln!(text, "{row}");
    }
    text += TAIL;
    expect_file!["../../../../../docs/reliability.md"].assert_eq(&text);
}

fn rows_of(case: &Case) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for form in &case.forms {
        let result = match form.result {
            Outcome::Published(times) if times <= 1.05 => {
                "published, nothing sent twice".to_owned()
            }
            Outcome::Published(times) => format!("published, at most {times} times the bytes"),
            Outcome::Fails(words) => format!("fails: \"{words}\""),
        };
        let row = format!(
            "| {} {} | {} | {result} | `engine/cases` |",
            case.id, case.name, form.what
        );
        // Seeds of one form are one row.
        let entry = (case.id.to_owned(), row);
        if !rows.contains(&entry) {
            rows.push(entry);
        }
    }
    rows
}

const TAIL: &str = "
Beside these cases, every request of a push is struck once, at every moment and in every way (`engine/sweep.rs`), then by
two faults of a seeded choice, then 200 pushes by up to four random ones (`engine/soak.rs`): each is published or fails
without a tag, and no push sends more than three times its bytes for one fault.
";
