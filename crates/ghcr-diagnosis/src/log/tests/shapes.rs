//! What runners, terminals and people do to a log.

use expect_test::expect;

use super::{check, found};

const LINE: &str =
    "ERROR: failed to push ghcr.io/owner/app:1: denied: permission_denied: write_package";

#[test]
fn around_a_line() {
    let same = "- - - ghcr.io ghcr.io/owner/app:1 | DENIED: permission_denied: write_package | package-denies-repository
";
    for log in [
        LINE.to_owned(),
        format!("2026-02-20T10:11:12.1234567Z {LINE}\r\n"),
        format!("2026-02-20T10:11:12.1234567Z ##[error]{LINE}\r\n"),
        format!("publish\tPush image\t2026-02-20T10:11:12.1234567Z \u{1b}[31m{LINE}\u{1b}[0m\n"),
        format!("::error title=Push::{LINE}"),
        format!("#12 {LINE}\n#12 1.234 {LINE}\n{LINE}\n"),
        format!("  │ {LINE}\n"),
        format!("> {LINE}"),
        format!("time=\"2026-07-10\" level=error msg=\"{LINE}\" id=1"),
        format!("time=\"2026-07-10\" level=error msg=\"push failed\" error=\"{LINE}\""),
        format!("\u{1b}]0;title\u{7}{LINE}"),
        format!("progress 10%\rprogress 90%\r{LINE}\r"),
    ] {
        assert_eq!(found(&log), same, "{log}");
    }
}

#[test]
fn broken_lines() {
    let same = "- - - ghcr.io ghcr.io/owner/app:1 | DENIED: permission_denied: write_package | package-denies-repository
";
    for log in [
        "ERROR: failed to push ghcr.io/owner/app:1: denied: permission_den\nied: write_package",
        "ERROR: failed to push ghcr.io/owner/app:1: denied: permission_denied:\nwrite_package",
        "ERROR: failed to push ghcr.io/owner/app:1: denied:\n  permission_denied: write_package",
        "ERROR: failed to push ghcr.io/owner/app:1:\n  denied: permission_denied: write_package",
        "ERROR: failed to push ghcr.io/owner/app:1: denied: permission_denied: write_pac\nkage",
    ] {
        assert_eq!(found(log), same, "{log}");
    }
    // Ruled lines are no broken ones.
    let rule = "-".repeat(80);
    assert_eq!(
        found(&format!(
            "docker push ghcr.io/owner/app:1\n{rule}\ndenied: permission_denied: write_package\n{rule}\n"
        )),
        same
    );
    // A terminal of 80 columns.
    check(
        "Error: failed to push: POST https://ghcr.io/v2/some-organization/some-applicatio\n\
         n/blobs/uploads/: DENIED: permission_denied: The requested installation does not\n exist.\n",
        &expect![[r"
            - POST start-upload ghcr.io ghcr.io/some-organization/some-application | DENIED: permission_denied: The requested installation does not exist. | namespace-mismatch
        "]],
    );
}

/// Lines that have nothing to do with one another, however wide they are.
#[test]
fn whole_lines() {
    let x = |count: usize| "x".repeat(count);
    for (log, expected) in [
        (
            format!(
                "{} pushing ghcr.io/acme/web\nservice: denied: permission_denied: write_package\n",
                x(55)
            ),
            "- - - ghcr.io ghcr.io/acme/web | DENIED: permission_denied: write_package | package-denies-repository\n",
        ),
        (
            format!(
                "{} denied: permission_denied: write_package: ghcr.io/acme/web\nErrorCode 1\n",
                x(41)
            ),
            "- - - ghcr.io ghcr.io/acme/web | : permission_denied: write_package: ghcr.io/acme/web | package-denies-repository\n",
        ),
        (
            format!(
                "2026-10-01T10:11:12.1234567Z {0}\n2026-10-01T10:11:12.1234567Z {0}\n\
                 2026-10-01T10:11:12.1234567Z Error: failed to push ghcr.io/acme/web:1: denied: permission_denied: write_package\n",
                x(91)
            ),
            "- - - ghcr.io ghcr.io/acme/web:1 | DENIED: permission_denied: write_package | package-denies-repository\n",
        ),
        // What begins a line of its own is no rest of another.
        (
            "docker push ghcr.io/acme/web\ndenied: permission_denied: write_\nERROR: package ghcr.io/acme/other is gone\n"
                .to_owned(),
            "- - - ghcr.io ghcr.io/acme/web | DENIED: permission_denied: write_ | unknown-denial\n",
        ),
    ] {
        assert_eq!(found(&log), expected, "{log}");
    }
}

/// A sentence that was broken twice, and bodies that were printed as the server formatted them: one refusal each.
#[test]
fn formatted_bodies() {
    let same = |log: &str, count: usize, code: &str| {
        let refusals = super::recognise(log);
        assert_eq!(refusals.len(), count, "{log}{refusals:#?}");
        let diagnosis = crate::diagnose(&refusals[0], &crate::Context::default());
        let diagnosis = diagnosis.expect("a diagnosis");
        assert_eq!(diagnosis.code.as_str(), code, "{log}");
        refusals[0].reference.clone()
    };
    let limit = "secondary-rate-limit";
    same(
        "ghcr.io/acme/web denied: permission_denied: You have exceeded a\n secondary\n rate limit\n",
        1,
        limit,
    );
    let reference = same(
        "denied: permission_denied: Error from intermediary with HTTP status code 403 \"Forbidden\" - with-body: {\n  \
         \"documentation_url\": \"https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits\",\n  \
         \"message\": \"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.\"\n}\n\
         pushing ghcr.io/acme/web:1\n",
        1,
        limit,
    );
    assert_eq!(reference.as_deref(), Some("ghcr.io/acme/web:1"));
    let reference = same(
        "POST https://ghcr.io/v2/acme/web/blobs/uploads/ 403\n{\n  \"errors\": [\n    {\n      \"code\": \"DENIED\",\n      \
         \"message\": \"permission_denied: write_package\"\n    }\n  ]\n}\n",
        1,
        "package-denies-repository",
    );
    assert_eq!(reference.as_deref(), Some("ghcr.io/acme/web"));
}

#[test]
fn truncated() {
    check(
        "denied: permission_denied: write_package",
        &expect![[r"
        - - - - - | DENIED: permission_denied: write_package | package-denies-repository
    "]],
    );
    check(
        "permission_denied: create_package",
        &expect![[r"
        - - - - - | : permission_denied: create_package | cannot-create-package
    "]],
    );
    check(
        "#9 ERROR: failed to push ghcr.io/o/n:1: unexpected status from HEAD request to https://ghcr.io/v2/o/n/blobs/sha25",
        &expect![[""]],
    );
    check(
        "docker push ghcr.io/o/n {\"errors\":[{\"code\":\"DENIED\",\"message\":\"permission_denied: write_pa",
        &expect![[r"
            - - - ghcr.io ghcr.io/o/n | DENIED: permission_denied: write_pa | unknown-denial
        "]],
    );
}

#[test]
fn several() {
    check(
        "#1 pushing ghcr.io/o/a:1\n\
         #1 ERROR: failed to push ghcr.io/o/a:1: denied: permission_denied: write_package\n\
         #2 ERROR: failed to push ghcr.io/o/b:1: denied: permission_denied: write_package\n\
         #3 ERROR: failed to push ghcr.io/o/c:1: denied: installation not allowed to Create organization package\n\
         ERROR: failed to solve: failed to push ghcr.io/o/a:1: denied: permission_denied: write_package\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/o/a:1 | DENIED: permission_denied: write_package | package-denies-repository
            - - - ghcr.io ghcr.io/o/b:1 | DENIED: permission_denied: write_package | package-denies-repository
            - - - ghcr.io ghcr.io/o/c:1 | DENIED: installation not allowed to Create organization package | workflow-lacks-packages-write
        "]],
    );
}

/// The runner prints what the token may, and that is the best evidence there is.
#[test]
fn permissions_of_the_job() {
    let log = |permission: &str| {
        format!(
            "2026-02-20T10:11:12.1Z ##[group]GITHUB_TOKEN Permissions\n\
             2026-02-20T10:11:12.1Z Contents: read\n2026-02-20T10:11:12.1Z Metadata: read\n{permission}\
             2026-02-20T10:11:12.1Z ##[endgroup]\n\
             2026-02-20T10:12:12.1Z denied: installation not allowed to Create organization package\n"
        )
    };
    let causes = |log: &str| {
        let found = super::recognise(log);
        let diagnosis = crate::diagnose(&found[0], &crate::Context::default());
        crate::tests::codes_of(diagnosis.as_ref())
    };
    assert_eq!(
        causes(&log(""))[0],
        ("workflow-lacks-packages-write", crate::Likelihood::Proven)
    );
    assert_eq!(
        causes(&log("2026-02-20T10:11:12.1Z Packages: write\n"))[0],
        ("organization-policy", crate::Likelihood::Likely)
    );
}

#[test]
fn limits_and_outages() {
    // https://github.com/virtualcell/vcell/issues/1888
    check(
        "#20 ERROR: failed to push ghcr.io/virtualcell/vcell-api:1: denied: permission_denied: Error from intermediary with HTTP status code 403 \"Forbidden\" - with-body: {\"message\": \"You have exceeded a secondary rate limit. Please wait a few minutes before you try again.\"}\n",
        &expect![[r#"
            - - - ghcr.io ghcr.io/virtualcell/vcell-api:1 | DENIED: permission_denied: Error from intermediary with HTTP status code 403 "Forbidden" - with-body: {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."} | secondary-rate-limit
        "#]],
    );
    // https://github.com/NVIDIA/cuda-quantum/issues/3979
    check(
        "docker push ghcr.io/nvidia/x\ntoomanyrequests: retry-after: 333.939671ms\n",
        &expect![[r"
            - - - ghcr.io ghcr.io/nvidia/x | TOOMANYREQUESTS: retry-after: 333.939671ms | rate-limit
        "]],
    );
    // https://github.com/docker/build-push-action/issues/251
    check(
        "#25 pushing layers 638.5s done\n\
         #25 ERROR: failed to push: failed to copy: failed to do request: Put \"https://ghcr.io/v2/o/n/blobs/upload/1?digest=sha256%3A00\": read tcp 10.0.0.1:1->140.82.1.1:443: read: connection timed out\n",
        &expect![[r"
            - PUT commit-blob ghcr.io ghcr.io/o/n | Interrupted | upload-time-limit
        "]],
    );
    // https://github.com/INSPIRE-MIF/helpdesk-validator/issues/1026
    check(
        "Error response from daemon: Get \"https://ghcr.io/v2/\": EOF\n",
        &expect![[r"
            - GET - ghcr.io - | Interrupted | registry-unavailable
        "]],
    );
}
