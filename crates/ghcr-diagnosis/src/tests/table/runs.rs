//! What a run tells, what it does not, and what a log shows beside the refusal.

use oci_push::Step;

use super::check;
use super::locks::listed;
use crate::Likelihood::{Likely, Possible, Proven};
use crate::tests::support::{denied, desk, job, refusal, run, silent};
use crate::{Access, Context, Credential, Evidence, OwnerKind, TokenKind, Tool, diagnose};

/// A log that is explained in the job.
fn logged(mut context: Context) -> Context {
    context.credential = Credential::Unknown;
    context
}

/// A masked owner may be the run's own.
#[test]
fn a_masked_owner() {
    let mut context = logged(job());
    context.owner = "***".to_owned();
    for (words, codes) in [
        (
            "permission_denied: write_package",
            &[
                ("package-denies-repository", Likely),
                ("package-denies-user", Possible),
            ][..],
        ),
        (
            "permission_denied: The requested installation does not exist.",
            &[("namespace-mismatch", Likely)],
        ),
        (
            "permission_denied: create_package",
            &[
                ("cannot-create-package", Likely),
                ("organization-policy", Possible),
            ],
        ),
    ] {
        let diagnosis = diagnose(&denied(words), &context).expect("a diagnosis");
        let found = crate::tests::support::codes(Some(&diagnosis));
        assert_eq!(found, codes, "{words}");
        for cause in &diagnosis.causes {
            let told = format!("{} {:?} {}", cause.why, cause.evidence, cause.remedy);
            assert!(!told.contains("***"), "{told}");
        }
    }
}

/// What a fork's run is not given, no login gives it.
#[test]
fn a_forks_run_without_a_credential() {
    let anonymous = Evidence {
        anonymous: Some(true),
        ..denied("denied")
    };
    let codes = &[
        ("fork-pull-request", Likely),
        ("credential-missing", Possible),
    ];
    let fork = run(|actions| actions.fork = Some(true));
    check("a log", &anonymous, &logged(fork.clone()), codes);
    let mut own = fork;
    own.credential = Credential::Absent;
    own.tool = Tool::GhcrPush;
    check("a push", &anonymous, &own, codes);
    own.empty_variables = vec!["GHCR_PUSH_TOKEN".to_owned()];
    check(
        "a secret in a fork's run",
        &anonymous,
        &own,
        &[
            ("fork-pull-request", Likely),
            ("credential-empty", Possible),
        ],
    );
    let actions = own.actions.get_or_insert_default();
    actions.fork = Some(false);
    actions.actor = Some("dependabot[bot]".to_owned());
    check(
        "a secret in a run of Dependabot",
        &anonymous,
        &own,
        &[("dependabot", Likely), ("credential-empty", Possible)],
    );
}

/// That the payload cannot be read does not mean that nothing comes from a fork.
#[test]
fn a_pull_request_of_unknown_origin() {
    let write = denied("installation not allowed to Write organization package");
    let pull = |permissions: &[(&str, Access)]| {
        run(|actions| {
            actions.event = Some("pull_request".to_owned());
            actions.permissions = Some(listed(permissions));
            actions.reusable = Some(false);
        })
    };
    check(
        "the block is right",
        &write,
        &pull(&[("packages", Access::Write)]),
        &[
            ("fork-pull-request", Likely),
            ("organization-policy", Possible),
        ],
    );
    check(
        "the block withholds it",
        &write,
        &pull(&[("contents", Access::Read)]),
        &[
            ("workflow-lacks-packages-write", Likely),
            ("fork-pull-request", Possible),
            ("organization-policy", Possible),
        ],
    );
    let mut push = pull(&[("packages", Access::Write)]);
    push.actions.get_or_insert_default().event = Some("push".to_owned());
    check(
        "a push is none",
        &write,
        &push,
        &[
            ("organization-policy", Likely),
            ("workflow-lacks-packages-write", Possible),
        ],
    );
}

/// The log shows what ran; the file is what stands on a disk.
#[test]
fn the_log_beats_the_file() {
    let context = |granted, owner_kind| {
        let mut context = run(|actions| {
            actions.permissions = Some(listed(&[("packages", Access::Write)]));
            actions.granted = Some(granted);
        });
        context.owner_kind = owner_kind;
        logged(context)
    };
    let bare = silent(Step::StartUpload, "POST");
    check(
        "the log shows less, in an organization",
        &bare,
        &context(Access::Read, Some(OwnerKind::Organization)),
        &[
            ("organization-policy", Likely),
            ("package-denies-repository", Possible),
            ("secondary-rate-limit", Possible),
            ("package-denies-user", Possible),
            ("sso-not-authorised", Possible),
        ],
    );
    check(
        "the log shows less, of a user",
        &bare,
        &context(Access::Read, Some(OwnerKind::User)),
        &[
            ("workflow-lacks-packages-write", Likely),
            ("package-denies-repository", Possible),
            ("secondary-rate-limit", Possible),
            ("package-denies-user", Possible),
        ],
    );
}

/// Who pushed a moment before can write: what follows is the moment's matter, or a limit's
/// (<https://github.com/docker/build-push-action/issues/981>).
#[test]
fn after_a_push_of_the_same_repository() {
    let after = |evidence: Evidence| Evidence {
        pushed_before: Some("ghcr.io/owner/app:1".to_owned()),
        ..evidence
    };
    let context = logged(run(|actions| actions.granted = Some(Access::Read)));
    for evidence in [
        denied("permission_denied: read_package"),
        denied("permission_denied: write_package"),
        denied("denied"),
        silent(Step::PutManifest, "PUT"),
        silent(Step::CheckBlob, "HEAD"),
    ] {
        let diagnosis = diagnose(&after(evidence), &context).expect("a diagnosis");
        let codes = crate::tests::support::codes(Some(&diagnosis));
        assert_eq!(codes[0], ("package-just-created", Likely), "{diagnosis:?}");
        for (code, likelihood) in &codes[1..] {
            assert_eq!(*likelihood, Possible, "{code}");
            assert_ne!(*code, "workflow-lacks-packages-write");
        }
        let shown = "the log shows that ghcr.io/owner/app:1 was pushed just before";
        let evidence = &diagnosis.causes[0].evidence;
        assert!(evidence.iter().any(|line| line.starts_with(shown)));
    }
    let mut last = denied("denied");
    last.step = Some(Step::PutManifest);
    check(
        "the blobs were taken with the same credential",
        &last,
        &Context::default(),
        &[
            ("package-just-created", Possible),
            ("workflow-lacks-packages-write", Possible),
            ("secondary-rate-limit", Possible),
            ("package-denies-repository", Possible),
            ("package-denies-user", Possible),
            ("sso-not-authorised", Possible),
        ],
    );
}

/// A limit that another refusal of the log names.
#[test]
fn a_limit_nearby() {
    let mut context = logged(job());
    context.limited_nearby = Some(true);
    let bare = silent(Step::CheckBlob, "HEAD");
    let diagnosis = diagnose(&bare, &context).expect("a diagnosis");
    let first = &diagnosis.causes[0];
    assert_eq!(first.code, crate::Code::SecondaryRateLimit);
    assert_eq!(first.likelihood, Likely);
    check(
        "what is said is said",
        &denied("permission_denied: write_package"),
        &job(),
        &[("package-denies-repository", Likely)],
    );
}

/// Both jobs of a reusable workflow are named, if they are known.
#[test]
fn the_jobs_of_a_reusable_workflow() {
    let write = denied("installation not allowed to Write organization package");
    let mut context = run(|actions| {
        actions.reusable = Some(true);
        actions.called_workflow = Some("./.github/workflows/call.yml".to_owned());
    });
    for (called_job, beginning) in [
        (
            Some("inner"),
            "Give this block to the job \"publish\" in .github/workflows/release.yml that has `uses:`, and to the job \
             \"inner\" in .github/workflows/call.yml that pushes:",
        ),
        (
            None,
            "Give this block to the job in .github/workflows/release.yml that has `uses:`, and to the job in \
             .github/workflows/call.yml that pushes:",
        ),
    ] {
        context.actions.get_or_insert_default().called_job = called_job.map(str::to_owned);
        let diagnosis = diagnose(&write, &context).expect("a diagnosis");
        let cause = &diagnosis.causes[0];
        assert_eq!(cause.code, crate::Code::ReusableWorkflow);
        assert!(cause.remedy.starts_with(beginning), "{cause:?}");
    }
}

/// No repository of one site can be added to a package of another.
#[test]
fn a_package_of_another_site() {
    let mut context = logged(run(|actions| actions.site = Some("github.com".to_owned())));
    context.web_host = "ghe.corp.example".to_owned();
    let write = denied("permission_denied: write_package");
    check(
        "a log",
        &write,
        &context,
        &[("package-denies-user", Likely)],
    );
    let diagnosis = diagnose(&write, &context).expect("a diagnosis");
    let cause = &diagnosis.causes[0];
    assert!(!cause.remedy.contains("Add repository"), "{cause:?}");
    let said = "the workflow runs at github.com, whose repositories cannot be added";
    assert!(cause.evidence.iter().any(|line| line.starts_with(said)));
    // An installation token is no person's, and of an App of that site: its repository is not the run's.
    context.credential = desk(TokenKind::Installation).credential;
    let diagnosis = diagnose(&write, &context).expect("a diagnosis");
    let cause = &diagnosis.causes[0];
    assert_eq!(cause.code, crate::Code::PackageDeniesRepository);
    let own = &context.actions.as_ref().expect("a run").repository;
    assert!(!cause.remedy.contains(own), "{cause:?}");
}

/// The words tell whose token it was, where nothing else does (<https://github.com/cli/cli/issues/2661>).
#[test]
fn single_sign_on_of_an_application() {
    let saml = "permission_denied: Resource protected by organization SAML enforcement. You must grant your";
    for (token, expected, not_there) in [
        ("OAuth token", "gh auth refresh", "Configure SSO"),
        ("Personal Access token", "Configure SSO", "gh auth refresh"),
    ] {
        let words = format!("{saml} {token} access to this organization.");
        let context = desk(TokenKind::Unknown);
        let diagnosis = diagnose(&denied(&words), &context).expect("a diagnosis");
        let remedy = &diagnosis.causes[0].remedy;
        assert!(remedy.contains(expected), "{remedy}");
        assert!(!remedy.contains(not_there), "{remedy}");
    }
    let header = refusal(
        403,
        "DENIED",
        "Resource protected by organization SAML enforcement",
    );
    let codes = &[("sso-not-authorised", Proven)];
    check("nothing of a token", &header, &Context::default(), codes);
}

/// The first sentence is what an annotation tells: it must loosen nothing.
#[test]
fn what_is_asked_first() {
    let write = denied("installation not allowed to Write organization package");
    let mut context = run(|actions| {
        actions.permissions = Some(listed(&[("packages", Access::Write)]));
        actions.file_is_of_run = Some(true);
        actions.reusable = Some(false);
    });
    for (granted, first) in [
        (None, "Look at the job's log, "),
        (Some(Access::Read), "Ask an owner of owner whether "),
    ] {
        context.actions.get_or_insert_default().granted = granted;
        let diagnosis = diagnose(&write, &context).expect("a diagnosis");
        let cause = &diagnosis.causes[0];
        assert_eq!(cause.code, crate::Code::OrganizationPolicy);
        assert!(cause.remedy.starts_with(first), "{cause:?}");
    }
}
