//! Refusals that a log quotes, and refusals that a repetition made good.

use super::found;
use crate::log::recognise;

const REFUSED: &str = "Error: denied: permission_denied: read_package";

/// What quotes other words than those that were said.
const QUOTES: [&str; 12] = [
    "##[group]Run grep -q \"denied: permission_denied: write_package\" push.log\n\
     grep -q \"denied: permission_denied: write_package\" push.log\n\
     # retry on denied: permission_denied: write_package of ghcr.io\n\
     shell: /usr/bin/bash -e {0}\n\
     ##[endgroup]\n",
    "2026-08-01T10:00:00.1234567Z ##[group]Run docker push ghcr.io/owner/app:1 || {\n\
     2026-08-01T10:00:00.1234567Z   message=\"denied: permission_denied: write_package\"\n\
     2026-08-01T10:00:00.1234567Z }\n\
     2026-08-01T10:00:00.1234567Z ##[endgroup]\n",
    "Run ./push.sh ghcr.io/owner/app:1\n\
     \x20 # ghcr.io says denied: permission_denied: write_package then\n\
     \x20 ./push.sh\n\
     \x20 shell: /usr/bin/bash -e {0}\n",
    "[command]/usr/bin/grep \"denied: permission_denied: write_package\" log of ghcr.io\n",
    "+ grep -q 'ghcr.io.*denied: permission_denied: write_package' push.log\n",
    "echo \"ghcr.io: denied: permission_denied: write_package\" >&2\n",
    "if grep -q \"denied: permission_denied: write_package\" docker.log; then\n",
    "diff --git a/push.sh b/push.sh\n\
     @@ -1,3 +1,3 @@ docker push ghcr.io/owner/app\n\
     \x20# on denied: permission_denied: write_package\n\
     -echo \"denied: permission_denied: write_package\"\n\
     +Error: denied: permission_denied: write_package\n",
    "✓ explains ghcr.io denied: permission_denied: write_package (5 ms)\n",
    "ok 12 - docker push: denied: permission_denied: write_package\n",
    "tests/push.py::ghcr.io[denied: permission_denied: write_package] PASSED\n",
    "// docker says denied: permission_denied: write_package\n",
];

#[test]
fn what_is_quoted_is_not_what_happened() {
    for quote in QUOTES {
        let log = format!("{quote}docker push ghcr.io/owner/app:1\n{REFUSED}\n");
        let words: Vec<String> = recognise(&log).iter().map(crate::Evidence::words).collect();
        assert_eq!(words, ["permission_denied: read_package"], "{log}");
        let log = format!("docker push ghcr.io/owner/app:1\n{REFUSED}\n{quote}");
        assert_eq!(recognise(&log).len(), 1, "{log}");
    }
}

#[test]
fn what_is_quoted_where_all_went_well_is_nothing() {
    for quote in QUOTES {
        assert_eq!(found(quote), "", "{quote}");
    }
}

#[test]
fn what_is_quoted_where_something_failed_is_better_than_nothing() {
    for quote in QUOTES {
        let log = format!("{quote}##[error]Process completed with exit code 1.\n");
        let words: Vec<String> = recognise(&log).iter().map(crate::Evidence::words).collect();
        let is_told = words.iter().any(|words| words.contains("write_package"));
        // What a program looks for, or might print, is no record of anything.
        assert_eq!(is_told, quote.starts_with("diff "), "{log}");
    }
}

/// What a shell's trace shows of a variable is what a command said. (<https://github.com/kubewarden/helm-charts/issues/704>)
#[test]
fn a_variable_in_a_trace() {
    let log = "++ helm push .cr-release-packages/kubewarden-defaults-3.4.0-rc1.tgz oci://ghcr.io/kubewarden/charts\n\
               + push_output='Error: POST \"https://ghcr.io/v2/kubewarden/charts/kubewarden-defaults/blobs/uploads/\": response status code 403: denied: permission_denied: write_package'\n";
    assert_eq!(
        found(log),
        "403 POST start-upload ghcr.io ghcr.io/kubewarden/charts/kubewarden-defaults | DENIED: permission_denied: write_package | package-denies-repository\n"
    );
}

/// A log of which all is cited, as in a mail, is the log.
#[test]
fn a_log_that_is_cited_as_a_whole() {
    let log = "It fails so:\n> docker push ghcr.io/owner/app:1\n> denied: permission_denied: write_package\n";
    assert_eq!(recognise(log).len(), 1);
    let log = "docker push ghcr.io/owner/app:1\ndenied: permission_denied: read_package\nSee the notes:\n\
               > docker: denied: permission_denied: write_package\n";
    assert_eq!(recognise(log).len(), 1);
    assert!(recognise(log)[0].words().contains("read_package"));
}

#[test]
fn what_a_repetition_made_good() {
    for (after, pushed) in [
        (
            "The push refers to repository [ghcr.io/owner/app]\naa: Pushed\n1: digest: sha256:00 size: 528\n",
            Some("ghcr.io/owner/app:1"),
        ),
        (
            "#12 pushing manifest for ghcr.io/owner/app:1@sha256:00 0.9s done\n",
            Some("ghcr.io/owner/app:1@sha256:00"),
        ),
        (
            "Pushed: ghcr.io/owner/app:1\nDigest: sha256:00\n",
            Some("ghcr.io/owner/app:1"),
        ),
        (
            "Pushed [registry] ghcr.io/owner/app:1\n",
            Some("ghcr.io/owner/app:1"),
        ),
        (
            "Successfully pushed \"app:1\" to \"ghcr.io/owner/app:1\"\n",
            Some("ghcr.io/owner/app:1"),
        ),
        (
            "ghcr.io/owner/app@sha256:00\n",
            Some("ghcr.io/owner/app@sha256:00"),
        ),
        (
            "ghcr.io/owner/app:1: digest: sha256:00 size: 1\n",
            Some("ghcr.io/owner/app:1"),
        ),
        (
            "podman push ghcr.io/owner/app:1\nCopying blob aa done\nWriting manifest to image destination\n",
            Some("ghcr.io/owner/app:1"),
        ),
        // The manifest is what was refused.
        (
            "podman push ghcr.io/owner/app:1\nWriting manifest to image destination\nError: writing manifest: denied\n",
            None,
        ),
        // Another tag, another package.
        ("Pushed: ghcr.io/owner/app:2\n", None),
        ("Pushed: ghcr.io/owner/other:1\n", None),
        ("Not pushed: ghcr.io/owner/app:1\n", None),
        ("failed to push ghcr.io/owner/app:1@sha256:00\n", None),
        (
            "#12 pushing manifest for ghcr.io/owner/app:1@sha256:00\n",
            None,
        ),
    ] {
        let log = format!(
            "failed to push ghcr.io/owner/app:1: denied: permission_denied: write_package\n{after}"
        );
        let refusals = recognise(&log);
        assert_eq!(refusals[0].pushed_later.as_deref(), pushed, "{log}");
        // What was pushed before says nothing.
        let log = format!(
            "{after}failed to push ghcr.io/owner/app:1: denied: permission_denied: write_package\n"
        );
        assert!(
            recognise(&log)
                .iter()
                .all(|refusal| refusal.pushed_later.is_none()),
            "{log}"
        );
    }
}

/// What a document says of refusals, and what really happened.
#[test]
fn a_document_that_a_shell_shows() {
    let log = "$ cat CONTRIBUTING.md\n\
               If the push says `denied: permission_denied: write_package` for ghcr.io/acme/web, ask an admin.\n\
               If it says installation not allowed to Create organization package, fix permissions.\n\
               $ make push\n\
               docker push ghcr.io/acme/web:1\n\
               Error response from daemon: Get \"https://ghcr.io/v2/\": dial tcp: lookup ghcr.io on 127.0.0.53:53: server misbehaving\n";
    let refusals = recognise(log);
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0].trouble, Some(crate::evidence::Trouble::Resolve));
    // A log that a shell shows is one.
    let log = "$ cat push.log\ndocker push ghcr.io/acme/web:1\ndenied: permission_denied: write_package\n$ exit\n";
    assert_eq!(recognise(log).len(), 1);
}
