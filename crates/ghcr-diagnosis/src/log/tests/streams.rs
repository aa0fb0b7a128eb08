//! Logs in which several pushes speak at a time: a refusal is its own program's, or nobody's by name.

use super::recognise;

const DENIED: &str = "denied: permission_denied: write_package";

/// Logs with one refusal each, and whose it is.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of logs")]
fn whose_refusal_it_is() {
    let api = Some("ghcr.io/acme/api:1");
    for (log, expected) in [
        // Compose.
        (
            "web-1 | The push refers to repository [ghcr.io/acme/web]\n\
             api-1 | The push refers to repository [ghcr.io/acme/api]\n\
             web-1 | DENIED\n\
             api-1 | 1: digest: sha256:aa size: 1234\n",
            Some("ghcr.io/acme/web"),
        ),
        // The reference of another program is none of this one's.
        (
            "web-1 | The push refers to repository [ghcr.io/acme/web]\n\
             web-1 | aa: Preparing\n\
             api-1 | DENIED\n",
            None,
        ),
        // BuildKit's steps.
        (
            "#30 [api] pushing ghcr.io/acme/api:1 0.3s\n\
             #31 [web] pushing ghcr.io/acme/web:1 0.3s\n\
             #30 ERROR: DENIED\n\
             #31 DONE 1.2s\n",
            api,
        ),
        (
            "#31 [web] pushing ghcr.io/acme/web:1 0.3s\n\
             #32 [db] pushing ghcr.io/acme/db:1 0.3s\n\
             #30 ERROR: DENIED\n\
             #33 [cli] pushing ghcr.io/acme/cli:1 0.3s\n",
            None,
        ),
        // What fails in the end is named without the step's number.
        (
            "#30 naming to ghcr.io/acme/web:1 done\n\
             #30 ERROR: DENIED\n\
             ERROR: failed to solve: failed to push ghcr.io/acme/api:1: DENIED\n",
            api,
        ),
        // Brackets.
        (
            "[build amd64] docker push ghcr.io/acme/api:1\n\
             [build arm64] docker push ghcr.io/acme/web:1\n\
             [build amd64] DENIED\n\
             [build arm64] 1: digest: sha256:aa size: 1234\n",
            api,
        ),
        // Levels are no programs.
        (
            "[INFO] Pushing ghcr.io/acme/api:1\n[INFO] Building ghcr.io/acme/web:1\n[ERROR] DENIED\n",
            api,
        ),
        // A job's name, and a tab.
        (
            "2026-11-20T22:14:01Z api\tThe push refers to repository [ghcr.io/acme/api]\n\
             2026-11-20T22:14:01Z web\tThe push refers to repository [ghcr.io/acme/web]\n\
             2026-11-20T22:14:02Z api\tDENIED\n",
            Some("ghcr.io/acme/api"),
        ),
        (
            "api\tPush\t2026-11-20T22:14:01Z The push refers to repository [ghcr.io/acme/api]\n\
             web\tPush\t2026-11-20T22:14:01Z The push refers to repository [ghcr.io/acme/web]\n\
             api\tPush\t2026-11-20T22:14:02Z DENIED\n",
            Some("ghcr.io/acme/api"),
        ),
        // Nothing but that the other push has ended.
        (
            "level=info msg=\"pushing\" image=ghcr.io/acme/api:1\n\
             level=info msg=\"pushing\" image=ghcr.io/acme/web:1\n\
             level=info msg=\"pushed\" image=ghcr.io/acme/web:1\n\
             level=error msg=\"push failed\" error=\"DENIED\"\n",
            api,
        ),
        // One after the other.
        (
            "docker push ghcr.io/acme/web:1\n\
             The push refers to repository [ghcr.io/acme/web]\n\
             error: the connection broke\n\
             docker push ghcr.io/acme/api:1\n\
             The push refers to repository [ghcr.io/acme/api]\n\
             DENIED\n",
            api,
        ),
        // How the first ended is cut out.
        (
            "docker push ghcr.io/acme/web:1\n\
             The push refers to repository [ghcr.io/acme/web]\n\
             docker push ghcr.io/acme/api:1\n\
             The push refers to repository [ghcr.io/acme/api]\n\
             DENIED\n",
            api,
        ),
        (
            "##[group]Run ./push.sh web\n\
             ##[endgroup]\n\
             Pushing ghcr.io/acme/web:1\n\
             ##[group]Run ./push.sh api\n\
             ##[endgroup]\n\
             Pushing ghcr.io/acme/api:1\n\
             DENIED\n",
            api,
        ),
        // Each row of a table has another word.
        ("image | ghcr.io/acme/api:1\nerror | DENIED\n", api),
    ] {
        let log = log.replace("DENIED", DENIED);
        let refusals = recognise(&log);
        assert_eq!(refusals.len(), 1, "{log}");
        assert_eq!(refusals[0].reference.as_deref(), expected, "{log}");
        assert_eq!(refusals[0].pushed_later, None, "{log}");
        assert!(refusals[0].candidates.is_empty(), "{log}");
    }
}

/// Two pushes under way, and nothing that tells whose the refusal is.
#[test]
fn nobodys_refusal() {
    let log = format!(
        "$ make -j2 push-api push-web\n\
         docker push ghcr.io/acme/api:1\n\
         docker push ghcr.io/acme/web:1\n\
         The push refers to repository [ghcr.io/acme/api]\n\
         The push refers to repository [ghcr.io/acme/web]\n\
         {DENIED}\n\
         make: *** [Makefile:4: push-api] Error 1\n\
         1: digest: sha256:aa size: 1\n"
    );
    let refusals = recognise(&log);
    assert_eq!(refusals.len(), 1);
    let refusal = &refusals[0];
    assert_eq!(refusal.reference, None);
    assert_eq!(refusal.candidates, ["ghcr.io/acme/api", "ghcr.io/acme/web"]);
    assert_eq!(refusal.host.as_deref(), Some("ghcr.io"));
    // The push that ended may be either.
    assert_eq!(refusal.pushed_later, None);
    // Where they are at two registries, not even that is known.
    let elsewhere = log.replace("ghcr.io/acme/web", "quay.io/acme/web");
    assert_eq!(recognise(&elsewhere)[0].host, None);
    // A failure that names one of them settles it.
    let named = format!("{log}failed to push ghcr.io/acme/api:1: {DENIED}\n");
    let refusals = recognise(&named);
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0].reference.as_deref(), Some("ghcr.io/acme/api:1"));
    assert!(refusals[0].candidates.is_empty());
}

/// A repetition makes good what the same program was refused.
#[test]
fn whose_repetition_it_is() {
    let log = |first: &str, second: &str| {
        format!(
            "{first}The push refers to repository [ghcr.io/acme/web]\n\
             {first}{DENIED}\n\
             {second}The push refers to repository [ghcr.io/acme/web]\n\
             {second}1: digest: sha256:aa size: 1\n"
        )
    };
    let web = Some("ghcr.io/acme/web:1");
    for (first, second, pushed) in [
        ("", "", web),
        ("push | ", "push | ", web),
        ("amd64 | ", "arm64 | ", None),
        ("[build amd64] ", "[build arm64] ", None),
        ("#12 ", "#15 ", web),
    ] {
        let log = log(first, second);
        let refusals = recognise(&log);
        assert_eq!(refusals.len(), 1, "{log}");
        assert_eq!(refusals[0].pushed_later.as_deref(), pushed, "{log}");
    }
}

/// What was pushed to the same repository before.
#[test]
fn what_was_pushed_before() {
    for (log, expected) in [
        (
            "##[group]Run docker push ghcr.io/acme/web:1\n\
             The push refers to repository [ghcr.io/acme/web]\n\
             1: digest: sha256:aa size: 1234\n\
             ##[group]Run docker push ghcr.io/acme/web:latest\n\
             The push refers to repository [ghcr.io/acme/web]\n\
             error from registry: permission_denied: read_package\n",
            Some("ghcr.io/acme/web:1"),
        ),
        (
            "#20 pushing manifest for ghcr.io/acme/web:1@sha256:aa 0.9s done\n\
             #20 ERROR: failed to push ghcr.io/acme/web:latest: denied: permission_denied: read_package\n",
            Some("ghcr.io/acme/web:1@sha256:aa"),
        ),
        // The image's blobs.
        (
            "Copying blob sha256:aa done\n\
             Error: writing manifest: uploading manifest latest to ghcr.io/acme/web: denied\n",
            Some("ghcr.io/acme/web"),
        ),
        (
            "Copying blob sha256:aa skipped: already exists\n\
             Error: writing manifest: uploading manifest latest to ghcr.io/acme/web: denied\n",
            None,
        ),
        // Another package, another program.
        (
            "#20 pushing manifest for ghcr.io/acme/api:1@sha256:aa 0.9s done\n\
             #20 ERROR: failed to push ghcr.io/acme/web:latest: denied\n",
            None,
        ),
        (
            "a | pushed ghcr.io/acme/web:1\nb | docker push ghcr.io/acme/web:2\nb | denied: denied\n",
            None,
        ),
    ] {
        let refusals = recognise(log);
        assert_eq!(refusals.len(), 1, "{log}");
        assert_eq!(refusals[0].pushed_before.as_deref(), expected, "{log}");
    }
}
