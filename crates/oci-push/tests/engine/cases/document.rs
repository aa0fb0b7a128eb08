//! `docs/reliability.md`, written from the table of cases.

use std::fmt::Write as _;

use expect_test::expect_file;
use test_registry::Kind;

use super::{
    Case, Outcome, answers, commits, limits, limits_otherwise, links, manifests, sessions, tokens,
    variants, wire,
};

/// Cases that are shown elsewhere, since they need another clock, a process or several.
const ELSEWHERE: [(&str, &str, &str, &str, &str); 36] = [
    (
        "A01",
        "realm elsewhere",
        "names another host's token service, also a look-alike, or one with a user name in it",
        "fails at once; nothing is sent to that host",
        "`engine/trust.rs`, `engine/elsewhere.rs`, `origin.rs`",
    ),
    (
        "A02",
        "realm downgrade",
        "names a token service without TLS, or on another port",
        "fails at once; nothing is sent there",
        "`origin.rs`, `engine/trust.rs`",
    ),
    (
        "A03",
        "link-local targets",
        "names another origin, whatever its address or name resolves to, as realm, `Location` or redirect",
        "fails at once; only the registry's own origin and its token service are connected to",
        "`engine/trust.rs`, `origin.rs`, `upload/session.rs`",
    ),
    (
        "A04",
        "session elsewhere",
        "opens an upload session on another host, port or scheme",
        "fails at once; neither a token nor a byte of a blob is sent there",
        "`engine/trust.rs`, `upload/session.rs`",
    ),
    (
        "A05",
        "redirect elsewhere",
        "redirects to another host, which asks for a token of the registry's own service",
        "fails; that host is not asked. A blob that is said to be there is sent if the manifest misses it",
        "`engine/elsewhere.rs`, `engine/trust.rs`",
    ),
    (
        "A06",
        "foreign layers",
        "a layer's descriptor has `urls`",
        "they are never fetched; what the archive holds is sent",
        "`engine/elsewhere.rs`",
    ),
    (
        "F25",
        "names and addresses",
        "its name service fails twice, then gives an address",
        "tried again, and answered",
        "`http/resolve/tests.rs`",
    ),
    (
        "F25",
        "names and addresses",
        "its first address, of IPv6, swallows every packet",
        "the second one is connected to, within the same try (on Linux)",
        "`http/resolve/tests.rs`",
    ),
    (
        "F27",
        "local trouble",
        "no room for a layer that is being compressed",
        "fails with exit code 3; no tag is set, the message names the directory, and nothing is left there",
        "`it/archives.rs`",
    ),
    (
        "F08",
        "advised waits",
        "`2`, `1`, `1.5`, `0`, `-5`, `soon`, by the machine's own clock",
        "published; between two tries at least what was asked for, and 0.1 s",
        "`engine/real_time.rs`",
    ),
    (
        "F09",
        "limit in the text",
        "the same by the machine's own clock",
        "published; never more than four requests open afterwards",
        "`engine/real_time.rs`",
    ),
    (
        "F02",
        "flaky link",
        "closes every connection after its answer, and does not say that it will",
        "published; what nobody has read is sent again at once, without a line",
        "`engine/unread.rs`",
    ),
    (
        "F03",
        "stalled reader",
        "does not read a layer that fits into the machine's own buffers",
        "published, once nothing was acknowledged for `--stall-timeout` (on Linux)",
        "`engine/silence.rs`",
    ),
    (
        "F03",
        "stalled reader",
        "accepts the very first connection, and never answers on it",
        "published, half a minute later; who never answers at all is given up after two minutes",
        "`engine/silence.rs`, `retry/tests.rs`",
    ),
    (
        "F12",
        "outage",
        "refuses connections after it has answered once, until it is back",
        "published",
        "`engine/silence.rs`",
    ),
    (
        "F12",
        "outage",
        "has never listened",
        "fails after a quarter of a minute",
        "`engine/silence.rs`",
    ),
    (
        "F12",
        "outage",
        "its name has no address, as without a network",
        "said at once; fails after four tries, for which a name service that does not answer is given eight seconds each",
        "`it/resolution.rs`",
    ),
    (
        "A07",
        "hostile text",
        "a control character in a header's value",
        "that header is left out, and the rest understood",
        "`engine/malformed.rs`",
    ),
    (
        "A07",
        "hostile text",
        "a control character in the status line",
        "fails after three tries, or after two times the bytes, and says that it is no HTTP",
        "`engine/malformed.rs`",
    ),
    (
        "A09",
        "hostile size",
        "headers of megabytes, answers without end, one byte a second",
        "fails soon, and says so; where the head came, its status decides",
        "`engine/bombs.rs`, `engine/malformed.rs`",
    ),
    (
        "A09",
        "hostile size",
        "interim answers without end, or a head at one byte a second",
        "fails after two tries of half a minute, and says so (on Linux)",
        "`engine/silence.rs`",
    ),
    (
        "F08",
        "advised waits",
        "429 in a page with bare line feeds, as Docker Hub's proxy sends it",
        "understood, and the wait kept",
        "`engine/early.rs`",
    ),
    (
        "F22",
        "blobs not visible",
        "has lost a child of an index, and names it or does not",
        "published; the child is put again",
        "`engine/lost_manifests.rs`",
    ),
    (
        "F22",
        "blobs not visible",
        "confirms the tag, has the manifest under its digest, and shows no such tag for a minute",
        "fails, and says that the image is stored and the tag was not set",
        "`engine/looks.rs`",
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
        "F12",
        "outage",
        "answers no question for a manifest once the tag is set",
        "fails within two minutes, and says that the image is published",
        "`engine/looks.rs`",
    ),
    (
        "F23",
        "manifests and tags",
        "still shows after a minute what the tag named before, and has the manifest under its digest",
        "fails, and says that the image is stored and the tag was not moved",
        "`engine/looks.rs`",
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
        "ends at once with 129, 130 or 143, says how many blobs are stored and which tags were moved, cancels what is open \
         but not what is being committed; the next run sends no finished blob",
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
        variants::all(),
        limits_otherwise::all(),
        wire::all(),
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
    text += SWEEP;
    faults(&mut text);
    text += FIGURES;
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

/// The kinds of faults, from the table by which the sweep goes.
fn faults(text: &mut String) {
    *text += "| fault | when | what has to come of it |\n|---|---|---|\n";
    for kind in Kind::all() {
        let moments: Vec<&str> = kind
            .all_moments()
            .iter()
            .map(|moment| moment.name())
            .collect();
        let result = if kind.passes {
            "published"
        } else {
            "published, or fails without a tag"
        };
        let _ = writeln!(
            text,
            "| {} | {} | {result} |",
            kind.name,
            moments.join(", ")
        );
    }
}

const SWEEP: &str = "
## Every request, struck once

Beside these cases, every request of a push is struck once by every kind of fault, at every moment at which that makes
sense (`engine/sweep.rs`): `at once`, before the registry has looked at the request; `half-way` through its body; `at
the end` of it; `once done`, when the registry has done what was asked and has not said so; `in the answer`, after ten
bytes of it. Whatever strikes, no push may succeed with anything missing, fail with a tag set, send more than three
times its bytes, or send more than 40 requests in place of some ten. One thing no client can know: a registry that sets a tag,
answers with a refusal, and so has the tag, though the push fails; it names the right image then.

";

/// What differs from run to run is said with the command that prints it; the numbers of pushes are held by
/// `sweep::the_document_says_how_many`.
const FIGURES: &str = "
That makes 713 pushes in streams to ghcr.io's kind of registry, all of which are made, and 745 of a seeded choice in chunks and
to the other kinds (the specification's, Distribution 2.8's, Docker Hub's, Amazon's, Google's, Azure's); then 300 by two
faults, and 200 by up to four (`engine/soak.rs`). Requests that hang are tried besides, all at a time
(`engine/sweep/stalls.rs`). In one run of them, on 2026-11-21:

| pushes | how many | published | failed without a tag | failed, the tag denied | bytes sent, at most |
|---|---|---|---|---|---|
| one fault, ghcr.io's streams | 713 | 670 | 40 | 3 | 1.99 times |
| one fault, ghcr.io's chunks | 300 | 284 | 16 | 0 | 1.99 times |
| one fault, chunks that overwrite | 60 | 57 | 3 | 0 | 2.99 times |
| one fault, other registries | 385 | 359 | 22 | 4 | 2.82 times |
| two faults | 300 | 254 | 45 | 1 | 2.65 times |
| up to four faults that pass, or two that do not | 200 | 195 | 5 | 0 | 1.98 times |

`cargo test -p oci-push --test engine sweep soak -- --nocapture` prints these figures, and with `--ignored` in place of
`sweep soak` those of everything: every fault at every request to all kinds of registries in both modes, and thousands of
pairs.
";
