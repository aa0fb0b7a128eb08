//! `permission_denied: write_package` and `read_package`: the package's lock.
//!
//! The token may write packages, but this package does not admit whoever it stands for. The usual story:
//! the package was first pushed by hand, so that no repository has access to it
//! (<https://github.com/danger/danger-js/issues/1414>,
//! <https://github.com/redhat-actions/push-to-registry/issues/52>). There is no API for the grant; it is
//! made on the package's page. `read_package` is said of packages that the token cannot even see, and for
//! some seconds of any package that was just created.

use super::{account, installation, namespace, scope};
use crate::case::Case;
use crate::context::{Access, Link, TokenKind, Tool};
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::page;

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    super::with_shadows(case, explained(case))
}

fn explained(case: &Case) -> Option<Diagnosis> {
    let package = case.context.the_package();
    if case.says("write_package") {
        return Diagnosis::of(
            format!("{package} exists, and does not admit this push"),
            denied(case),
        );
    }
    if case.says("read_package") {
        return Diagnosis::of(
            format!("{package} cannot be seen with this credential"),
            unreadable(case),
        );
    }
    None
}

/// The causes of `write_package`.
pub(super) fn denied(case: &Case) -> Vec<Cause> {
    let mut causes = token_first(case);
    if is_after_success(case) {
        causes.push(just_created(case, Likelihood::Likely));
    }
    let locked = locked(case, Code::PackageDeniesRepository);
    causes.extend(locked.into_iter().map(|cause| after_success(case, cause)));
    causes
}

/// Whether the package was pushed to just before: a refusal that follows is rarely its lock's.
fn is_after_success(case: &Case) -> bool {
    case.context.just_created == Some(true) || case.evidence.pushed_before.is_some()
}

/// A lock that was open a moment before is no more than a possible cause.
fn after_success(case: &Case, supposed: Cause) -> Cause {
    Cause {
        likelihood: if is_after_success(case) {
            Likelihood::Possible
        } else {
            supposed.likelihood
        },
        ..supposed
    }
}

/// Whom the package does not admit. Without the token's kind it may be either, and at another owner's package a
/// workflow's own token is good for nothing, so that a person's is the usual one.
fn locked(case: &Case, code: Code) -> Vec<Cause> {
    use Likelihood::{Likely, Possible};
    let context = &case.context;
    let user = |likelihood| denies_user(case, likelihood);
    let repository = || denies_repository(case, code);
    if context.foreign_site().is_some() && context.is_of_unknown_kind() {
        // No repository of the run's site can be added there.
        return vec![user(Likely)];
    }
    let is_foreign = context.foreign_owner().is_some();
    if context.is_personal() {
        return vec![if code == Code::PackageUnreadable {
            repository()
        } else {
            user(Likely)
        }];
    }
    if is_foreign && context.is_of_unknown_kind() {
        let mut mismatch = namespace::mismatch(case, Possible);
        let condition = "holds if the token is the workflow's own, not a person's";
        mismatch.evidence.push(condition.to_owned());
        return vec![user(Likely), mismatch];
    }
    if is_foreign && context.is_workflow_token() != Some(false) {
        return vec![namespace::mismatch(case, Likely)];
    }
    if !context.is_of_unknown_kind() {
        return vec![repository()];
    }
    if context.tool == Tool::GhcrPush && context.actions.is_none() {
        // Whoever types the command is a person.
        let repository = Cause {
            likelihood: Possible,
            ..repository()
        };
        return vec![user(Likely), repository];
    }
    vec![repository(), user(Possible)]
}

/// The causes of `read_package`.
pub(super) fn unreadable(case: &Case) -> Vec<Cause> {
    let context = &case.context;
    let mut causes = token_first(case);
    let access = installation::known(case).filter(|_| causes.is_empty() && !context.is_personal());
    if access == Some(Access::None) && case.evidence.pushed_before.is_none() {
        let lacks = installation::lacks_permission(case, Likelihood::Likely, None);
        causes.push(lacks);
    }
    let created = match context.just_created {
        _ if is_after_success(case) => Some(Likelihood::Likely),
        // Another job of the same run may have made it.
        None | Some(true) => Some(Likelihood::Possible),
        Some(false) => None,
    };
    let unreadable = locked(case, Code::PackageUnreadable);
    causes.extend(
        unreadable
            .into_iter()
            .map(|cause| after_success(case, cause)),
    );
    // A token that may read sees its own repository's packages, and could not write to them all the same.
    if access == Some(Access::Read) && case.evidence.pushed_before.is_none() {
        let lacks = installation::lacks_permission(case, Likelihood::Possible, None);
        causes.push(lacks);
    }
    causes.extend(created.map(|likelihood| just_created(case, likelihood)));
    // gh's tokens have no packages scope by default, and are refused with the same words.
    let may_be_gh = context.kind() == Some(TokenKind::OAuth) || context.is_of_unknown_kind();
    if may_be_gh && context.token.scopes.is_none() {
        let mut missing = scope::missing(case, Likelihood::Possible);
        if context.is_of_unknown_kind() {
            let condition = "holds if the token is a person's, not a workflow's";
            missing.evidence.push(condition.to_owned());
        }
        causes.push(missing);
    }
    causes
}

/// What is the matter with the token comes before what is the matter with the package.
fn token_first(case: &Case) -> Vec<Cause> {
    let context = &case.context;
    let mut causes: Vec<Cause> = account::refused_by_the_api(case).into_iter().collect();
    if context.kind() == Some(TokenKind::FineGrainedPersonal) {
        causes.push(scope::fine_grained(case, Likelihood::Likely));
    } else if context.is_personal() && context.token.lacks_scope() {
        causes.push(scope::missing(case, Likelihood::Likely));
    }
    causes.extend(installation::foreign_app(case));
    causes
}

/// The cause that the package does not admit the repository, or the person, under either code.
fn denies_repository(case: &Case, code: Code) -> Cause {
    let context = &case.context;
    if context.is_personal() {
        let explanation = denies_user(case, Likelihood::Likely);
        return Cause {
            code,
            why: format!(
                "{}, and this token's user {}",
                standing(case),
                lacking(case)
            ),
            ..explanation
        };
    }
    let repository = context
        .actions
        .as_ref()
        .map(|actions| actions.repository.as_str())
        .filter(|repository| !repository.is_empty() && context.foreign_site().is_none());
    let known = repository.unwrap_or("this repository");
    let added = repository.unwrap_or("the repository whose workflow pushes");
    let mut evidence = case.basics();
    // Without the words either lock may be shut.
    let is_said = case.says("write_package");
    if context.is_installation() && code == Code::PackageDeniesRepository && is_said {
        evidence.push("a token without `packages: write` is refused with other words".to_owned());
    }
    let facts = &context.package_facts;
    if let Some(visibility) = &facts.visibility {
        evidence.push(format!("GitHub says that the package is {visibility}"));
    }
    let mut likelihood = Likelihood::Likely;
    let story = match &facts.link {
        Link::Unknown => {
            "It was probably first pushed by hand, or from another repository".to_owned()
        }
        Link::Unlinked => {
            evidence.push("GitHub says that the package is linked to no repository".to_owned());
            likelihood = settled(case);
            "It was first pushed by hand, or lost its link when a repository was transferred or made anew"
                .to_owned()
        }
        Link::Repository(link) if link.eq_ignore_ascii_case(known) => {
            evidence.push(format!("GitHub says that the package is linked to {link}"));
            "It is linked to it, but a link alone gives no access".to_owned()
        }
        Link::Repository(link) => {
            evidence.push(format!("GitHub says that the package is linked to {link}"));
            likelihood = settled(case);
            format!("It belongs to {link}")
        }
    };
    let why = if code == Code::PackageUnreadable {
        let standing = standing(case);
        format!("{standing}, and does not give {known} any role. {story}")
    } else {
        let rest = if is_said {
            ". The workflow's `permissions:` are not the matter"
        } else {
            ""
        };
        format!("the package does not give {known} the role Write. {story}{rest}")
    };
    Cause {
        code,
        likelihood,
        why,
        evidence,
        remedy: format!(
            "Open {}, go to \"Manage Actions access\", choose \"Add repository\", add {added}, \
             and set its role to Write. Then run the job again.{}",
            page::package_settings_named(context),
            costs(case, code)
        ),
        url: page::only_package_settings(context),
    }
}

/// What is known, or else to be supposed, of a package that cannot be seen.
fn standing(case: &Case) -> String {
    match case.context.package_facts.visibility.as_deref() {
        None => "the package is private".to_owned(),
        Some(visibility) => format!("the package is {visibility}"),
    }
}

fn is_public(case: &Case) -> bool {
    case.context.package_facts.visibility.as_deref() == Some("public")
}

/// What a user may not who is refused a look.
fn lacking(case: &Case) -> &'static str {
    if is_public(case) {
        "does not have the role Write"
    } else {
        "may not see it"
    }
}

/// Proven only of a token that stands for the repository, and that nothing else is the matter with.
fn settled(case: &Case) -> Likelihood {
    let repository = case
        .context
        .actions
        .as_ref()
        .is_some_and(|actions| !actions.repository.is_empty());
    let has_right_token = case.context.is_workflow_token() != Some(false)
        && installation::known(case) != Some(Access::None);
    let is_settled = case.context.is_installation() && repository && has_right_token;
    if is_settled && case.context.just_created != Some(true) {
        Likelihood::Proven
    } else {
        Likelihood::Likely
    }
}

/// What people do instead, and what it costs them
/// (<https://github.com/yc-software/qm/pull/12>).
fn costs(case: &Case, code: Code) -> &'static str {
    if code == Code::PackageUnreadable && !is_public(case) {
        " Making the package public instead would show every version that it holds, to everybody, and would not \
         let anybody push."
    } else {
        ""
    }
}

fn denies_user(case: &Case, likelihood: Likelihood) -> Cause {
    let context = &case.context;
    let user = context.token.login.as_ref().map_or_else(
        || "your user".to_owned(),
        |login| format!("the user {login}"),
    );
    let mut evidence = case.basics();
    if let Some(site) = context.foreign_site() {
        evidence.push(format!(
            "the workflow runs at {site}, whose repositories cannot be added to a package at {}, so that the token is \
             probably a person's there",
            context.web_host
        ));
    } else if likelihood == Likelihood::Possible {
        evidence.push("holds if the token is a person's, not a workflow's".to_owned());
    } else if let Some(own) = context.foreign_owner()
        && context.is_of_unknown_kind()
    {
        evidence.push(format!(
            "the workflow is {own}'s and the package is not, so that the token is probably a person's"
        ));
    }
    Cause {
        code: Code::PackageDeniesUser,
        likelihood,
        why: "the package does not give this token's user the role Write".to_owned(),
        evidence,
        remedy: format!(
            "Ask an administrator of the package to open {}, go to \"Manage access\" (\"Invite teams or \
             people\"), and give {user} the role Write.",
            page::package_settings_named(context)
        ),
        url: page::only_package_settings(context),
    }
}

/// For up to some seconds after the push that creates a package, requests for it are refused
/// (<https://github.com/docker/build-push-action/issues/981>,
/// <https://github.com/nextstrain/docker-base/issues/131>).
pub(super) fn just_created(case: &Case, likelihood: Likelihood) -> Cause {
    let mut evidence = case.basics();
    evidence.push(if case.context.just_created == Some(true) {
        "the package was created less than a minute before".to_owned()
    } else if let Some(pushed) = &case.evidence.pushed_before {
        format!("the log shows that {pushed} was pushed just before: the permissions were right then")
    } else {
        "holds if another job of this run, or an earlier push, created the package less than a minute before"
            .to_owned()
    });
    Cause {
        code: Code::PackageJustCreated,
        likelihood,
        why: "for some seconds after a package is created, GitHub does not know everywhere who may use it".to_owned(),
        evidence,
        remedy: "Wait a minute and push again; nothing has to be changed. Deleting the package would only bring the \
                 moment back."
            .to_owned(),
        url: None,
    }
}
