//! The two locks, with what is known of the run and the package.

use oci_push::Step;

use super::{Codes, check};
use crate::Likelihood::{Likely, Possible, Proven};
use crate::tests::support::{denied, desk, job, run, silent};
use crate::{Access, Context, Grants, Link, OwnerKind, Permissions, TokenKind};

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn the_package_lock() {
    let write = denied("permission_denied: write_package");
    let read = denied("permission_denied: read_package");
    let bare = silent(Step::CheckBlob, "HEAD");
    let linked = |link: Link| {
        let mut context = job();
        context.package_facts.link = link;
        context.just_created = Some(false);
        context
    };
    let other = Link::Repository("owner/other".to_owned());
    let same = Link::Repository("Owner/Source".to_owned());
    let repository: Codes = &[("package-denies-repository", Proven)];
    check(
        "linked to none",
        &write,
        &linked(Link::Unlinked),
        repository,
    );
    check(
        "https://github.com/benchflow-ai/skillsbench/pull/853",
        &write,
        &linked(other),
        repository,
    );
    check(
        "a link is no access",
        &write,
        &linked(same),
        &[("package-denies-repository", Likely)],
    );
    check(
        "neither run nor credential known",
        &write,
        &Context::default(),
        &[
            ("package-denies-repository", Likely),
            ("package-denies-user", Possible),
        ],
    );
    check(
        "private and unlinked",
        &read,
        &linked(Link::Unlinked),
        &[("package-unreadable", Proven)],
    );
    check(
        "unknown",
        &read,
        &job(),
        &[
            ("package-unreadable", Likely),
            ("package-just-created", Possible),
        ],
    );
    let mut created = job();
    created.just_created = Some(true);
    check(
        "https://github.com/nextstrain/docker-base/issues/131",
        &read,
        &created,
        &[
            ("package-just-created", Likely),
            ("package-unreadable", Possible),
        ],
    );
    check(
        "the same to HEAD",
        &bare,
        &created,
        &[
            ("package-just-created", Likely),
            ("package-unreadable", Possible),
            ("secondary-rate-limit", Possible),
        ],
    );
    check(
        "gh's token may lack the scope",
        &read,
        &desk(TokenKind::OAuth),
        &[
            ("package-unreadable", Likely),
            ("package-just-created", Possible),
            ("missing-scope", Possible),
        ],
    );
    let mut scoped = desk(TokenKind::OAuth);
    scoped.token.scopes = Some(vec!["repo".to_owned(), "read:packages".to_owned()]);
    check(
        "gh's token lacks the scope",
        &write,
        &scoped,
        &[("missing-scope", Likely), ("package-denies-user", Likely)],
    );
    check(
        "a fine-grained token is refused anyhow",
        &write,
        &desk(TokenKind::FineGrainedPersonal),
        &[
            ("fine-grained-token-unsupported", Likely),
            ("package-denies-user", Likely),
        ],
    );
}

pub(super) fn listed(packages: &[(&str, Access)]) -> Permissions {
    let scopes = packages
        .iter()
        .map(|(scope, access)| ((*scope).to_owned(), *access));
    Permissions {
        workflow: None,
        job: Some(Grants::Scopes(scopes.collect())),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn the_token_lock() {
    let create = denied("installation not allowed to Create organization package");
    let write = denied("installation not allowed to Write organization package");
    let prefixed =
        denied("permission_denied: installation not allowed to Write organization package");
    let fork = run(|actions| actions.fork = Some(true));
    check(
        "https://github.com/enketo/enketo/issues/1054",
        &write,
        &fork,
        &[("fork-pull-request", Proven)],
    );
    check(
        "https://github.com/jidicula/clang-format-action/issues/190",
        &write,
        &run(|actions| actions.actor = Some("dependabot[bot]".to_owned())),
        &[("dependabot", Likely), ("organization-policy", Possible)],
    );
    let mut withheld = run(|_| {});
    withheld.token.reads_packages = Some(false);
    check(
        "the API does not let it read packages",
        &write,
        &withheld,
        &[
            ("workflow-lacks-packages-write", Proven),
            ("organization-policy", Possible),
        ],
    );
    check(
        "https://github.com/xraph/workflows/pull/1",
        &write,
        &run(|actions| actions.reusable = Some(true)),
        &[
            ("reusable-workflow", Likely),
            ("organization-policy", Possible),
        ],
    );
    check(
        "the file withholds it",
        &create,
        &run(|actions| {
            actions.permissions = Some(listed(&[("contents", Access::Write)]));
            actions.file_is_of_run = Some(true);
        }),
        &[
            ("workflow-lacks-packages-write", Proven),
            ("organization-policy", Possible),
        ],
    );
    check(
        "the file withholds it, and may not be the one that runs",
        &create,
        &run(|actions| actions.permissions = Some(listed(&[("contents", Access::Write)]))),
        &[
            ("workflow-lacks-packages-write", Likely),
            ("organization-policy", Possible),
        ],
    );
    check(
        "the file has no block",
        &create,
        &run(|actions| actions.permissions = Some(Permissions::default())),
        &[
            ("workflow-lacks-packages-write", Likely),
            ("organization-policy", Possible),
        ],
    );
    check(
        "the job's log shows it",
        &create,
        &run(|actions| actions.granted = Some(Access::Read)),
        &[
            ("workflow-lacks-packages-write", Proven),
            ("organization-policy", Possible),
        ],
    );
    check(
        "https://github.com/openconfig/gnmic/issues/641",
        &write,
        &run(|actions| actions.permissions = Some(listed(&[("packages", Access::Write)]))),
        &[
            ("organization-policy", Likely),
            ("reusable-workflow", Possible),
            ("workflow-lacks-packages-write", Possible),
        ],
    );
    check(
        "the log shows that the block was overruled",
        &write,
        &run(|actions| {
            actions.permissions = Some(listed(&[("packages", Access::Write)]));
            actions.granted = Some(Access::Read);
            actions.reusable = Some(false);
        }),
        &[
            ("organization-policy", Likely),
            ("workflow-lacks-packages-write", Possible),
        ],
    );
    check(
        "the job's own token could have written",
        &write,
        &run(|actions| actions.granted = Some(Access::Write)),
        &[
            ("app-token-unsupported", Likely),
            ("organization-policy", Possible),
        ],
    );
    let mut user = run(|actions| {
        actions.granted = Some(Access::Write);
        actions.token_is_own = Some(true);
    });
    user.owner_kind = Some(OwnerKind::User);
    check(
        "everything is right",
        &write,
        &user,
        &[("unknown-denial", Possible)],
    );
    check(
        "https://github.com/atlanhq/application-sdk/pull/2680",
        &prefixed,
        &run(|actions| actions.token_is_own = Some(false)),
        &[("app-token-unsupported", Proven)],
    );
    let mut many = job();
    many.token.repositories = Some(vec!["owner/a".to_owned(), "owner/b".to_owned()]);
    check(
        "it is for several repositories",
        &write,
        &many,
        &[("app-token-unsupported", Likely)],
    );
    check(
        "https://github.com/SlyBase/helm-charts/pull/595",
        &prefixed,
        &desk(TokenKind::Installation),
        &[
            ("app-token-unsupported", Likely),
            ("workflow-lacks-packages-write", Likely),
            ("organization-policy", Possible),
        ],
    );
    check(
        "https://github.com/actions/runner/issues/1039, another's package",
        &write,
        &run(|actions| actions.repository = "another/source".to_owned()),
        &[
            ("workflow-lacks-packages-write", Likely),
            ("namespace-mismatch", Likely),
            ("organization-policy", Possible),
        ],
    );
}
