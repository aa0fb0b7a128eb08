//! Which of the references around a refusal is the one that was refused.

use expect_test::expect;

use super::check;

/// A base image, or a cache, is no more than read.
#[test]
fn not_what_is_read() {
    let building = "building\n".repeat(58);
    check(
        &format!(
            "Step 1/9 : FROM ghcr.io/base/img:1\n ---> abc\n{building}\
             denied: permission_denied: write_package\nError: failed pushing ghcr.io/acme/web:1\n"
        ),
        &expect![[r"
            - - - ghcr.io ghcr.io/acme/web:1 | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
    for read in [
        "#5 [internal] load metadata for ghcr.io/base/img:1\n#9 pushing layers\n",
        "#3 importing cache manifest from ghcr.io/acme/cache:main\n#3 DONE\n#9 exporting to image\n#9 ERROR: ",
        "#6 [1/4] FROM ghcr.io/base/img:1@sha256:00\n#6 CACHED\n",
        "#6 [1/4] FROM --platform=linux/amd64 ghcr.io/base/img:1\n",
        "COPY --from=ghcr.io/base/img:1 / /\n",
        "#4 resolve ghcr.io/base/img:1 0.1s done\n",
        "latest: Pulling from ghcr.io/base/img\n",
    ] {
        let log = format!("{read}denied: permission_denied: write_package\n");
        let found = super::super::recognise(&log);
        let references: Vec<_> = found.iter().map(|one| one.reference.as_deref()).collect();
        assert_eq!(references, [None], "{log}");
    }
}

/// What a failure names after the refusal, against what was pushed well before it, and what comes next.
#[test]
fn nearest_in_both_directions() {
    let layers = "5f70bf18a086: Preparing\n".repeat(40);
    for (log, expected) in [
        (
            "denied: permission_denied: write_package\nError pushing ghcr.io/acme/late:2\n".to_owned(),
            "ghcr.io/acme/late:2",
        ),
        (
            format!(
                "The push refers to repository [ghcr.io/acme/a]\n{layers}denied: permission_denied: write_package\n\
                 The push refers to repository [ghcr.io/acme/b]\n{layers}Error: failed to push ghcr.io/acme/b\n"
            ),
            "ghcr.io/acme/a",
        ),
        (
            "#20 pushing manifest for ghcr.io/acme/a:1 done\n#21 exporting\ndenied: permission_denied: write_package\n\
             ERROR: failed to solve: failed to push ghcr.io/acme/b:1\n"
                .to_owned(),
            "ghcr.io/acme/b:1",
        ),
        (
            "docker buildx build --cache-from type=registry,ref=ghcr.io/acme/cache:main -t ghcr.io/acme/web:1 --push .\n\
             denied: permission_denied: write_package\n"
                .to_owned(),
            "ghcr.io/acme/web:1",
        ),
        // The next failure is of something else.
        (
            "The push refers to repository [ghcr.io/acme/web]\n5f70bf18a086: Preparing\n\
             denied: permission_denied: write_package\n\
             #20 ERROR: failed to push ghcr.io/acme/worker:1: unexpected status from POST request to \
             https://ghcr.io/v2/acme/worker/blobs/uploads/: 429 Too Many Requests\n\
             toomanyrequests: retry-after: 333.939671ms\n"
                .to_owned(),
            "ghcr.io/acme/web",
        ),
        (
            "skopeo copy from docker://ghcr.io/base/img:1 to docker://ghcr.io/acme/web:1: denied: permission_denied: \
             write_package\n"
                .to_owned(),
            "ghcr.io/acme/web:1",
        ),
    ] {
        let found = super::super::recognise(&log);
        assert_eq!(found[0].reference.as_deref(), Some(expected), "{log}");
    }
}

/// Where it is the base image that is refused, the base image is named.
#[test]
fn pulls() {
    for (log, expected) in [
        (
            "ERROR: failed to solve: ghcr.io/o/base:1: failed to resolve source metadata for ghcr.io/o/base:1: denied\n",
            "ghcr.io/o/base:1",
        ),
        (
            "docker pull ghcr.io/o/base:1\nError response from daemon: denied\n",
            "ghcr.io/o/base:1",
        ),
    ] {
        let found = super::super::recognise(log);
        assert_eq!(found[0].reference.as_deref(), Some(expected), "{log}");
        assert!(found[0].is_pull, "{log}");
    }
    let push = super::super::recognise(
        "docker pull ghcr.io/o/base:1\ndocker push ghcr.io/o/app:1\nError response from daemon: denied\n",
    );
    assert_eq!(push[0].reference.as_deref(), Some("ghcr.io/o/app:1"));
    assert!(!push[0].is_pull);
}

/// Only what a host's name may have belongs to one: marks around GitHub's make it no look-alike.
#[test]
fn marks_around_a_host() {
    check(
        "{registry: ghcr.io} denied: permission_denied: write_package\n",
        &expect![[r"
            - - - ghcr.io - | : permission_denied: write_package | package-denies-repository
        "]],
    );
    check(
        "ERR <ghcr.io/acme/web:1> denied: permission_denied: write_package\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/acme/web:1 | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
    check(
        "push to ghcr.io! denied: permission_denied: write_package\n",
        &expect![[r"
            - - - ghcr.io - | : permission_denied: write_package | package-denies-repository
        "]],
    );
    check(
        "error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: \"<html><head><title>Access Denied</title></head><body>This site is blocked. ghcr.io</body></html>\"\n",
        &expect![[r"
            403 - - ghcr.io - | <html><head><title>Access Denied</title></head><body>This site is blocked. ghcr.io</body></html> | intermediary
        "]],
    );
    check(
        "docker push {ghcr.io/acme/web:1}\ndenied: permission_denied: write_package\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/acme/web:1 | DENIED: permission_denied: write_package | package-denies-repository
        "]],
    );
    // What only looks like it still does, and a place for a name stays one.
    check(
        "push to <ghrc.io/acme/web:1>: denied\n",
        &expect![[r"
        - - - ghrc.io ghrc.io/acme/web:1 | DENIED:  | lookalike-host
    "]],
    );
    check(
        "failed to push <owner>.azurecr.io/web:1: denied\n",
        &expect![[r"
            - - - <owner>.azurecr.io <owner>.azurecr.io/web:1 | DENIED:  | package-denies-repository
        "]],
    );
}
