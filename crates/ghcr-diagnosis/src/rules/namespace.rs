//! The owner in the reference is the matter: not the workflow's, not there at all, or one under which
//! this credential may make nothing.
//!
//! `The requested installation does not exist` is said of a workflow's token in the namespace of another
//! account (<https://github.com/macbre/push-to-ghcr/issues/26>), `owner not found` of a name that nobody
//! has (<https://github.com/goreleaser/goreleaser/issues/2815>).

use crate::case::Case;
use crate::context::{OwnerKind, TokenKind};
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::page;

use super::installation::policy_on_creation;
use super::{scope, stranger};

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    if case.says("requested installation does not exist") {
        let context = &case.context;
        if let Some(causes) = stranger::causes(case) {
            return Diagnosis::of("the token is not one for this owner's packages", causes);
        }
        let explanation = if context.foreign_owner().is_some() {
            mismatch(case, Likelihood::Proven)
        } else if context.actions.is_some()
            && context.foreign_site().is_none()
            && context.known_owner().is_some()
        {
            not_of_this_run(case)
        } else {
            mismatch(case, Likelihood::Likely)
        };
        return Diagnosis::of(
            "the token is not one for this owner's packages",
            vec![explanation],
        );
    }
    if case.says("owner not found") {
        let summary = if case.context.owner_exists == Some(true) {
            "the registry does not find the owner"
        } else {
            "there is no such owner"
        };
        return Diagnosis::of(summary, vec![no_owner(case)]);
    }
    if case.says("create_package") {
        return cannot_create(case);
    }
    None
}

/// The cause that a workflow's token is used for another owner's packages.
pub(super) fn mismatch(case: &Case, likelihood: Likelihood) -> Cause {
    let context = &case.context;
    let mut evidence = case.basics();
    let owner = named(&context.owner, "this owner");
    let (why, remedy) = match context.foreign_owner() {
        Some(own) => {
            let repository = context.actions.as_ref().map(|actions| &actions.repository);
            let repository = repository.map_or("the run's repository", String::as_str);
            evidence.push(format!(
                "the workflow runs in {repository}, the package would be {owner}'s"
            ));
            (
                format!("the workflow's token is {own}'s, and the package would be {owner}'s"),
                moved_home(case, own),
            )
        }
        None => (
            format!("GitHub Actions has no installation for the repository's token at {owner}"),
            format!(
                "Push to the owner of the repository whose workflow runs; in the workflow's file: \
                 `{}/${{{{ github.repository_owner }}}}/{}`, in lower case. A repository that was transferred \
                 or forked keeps its old owner's name there until it is changed.",
                case.registry(),
                named(&context.package, "PACKAGE")
            ),
        ),
    };
    Cause {
        code: Code::NamespaceMismatch,
        likelihood,
        why,
        evidence,
        remedy,
        url: None,
    }
}

/// The run is the owner's own, so that its token is one for this owner: it was another that was used, or the owner has
/// another name now.
fn not_of_this_run(case: &Case) -> Cause {
    let context = &case.context;
    let actions = context.actions.as_ref();
    let repository = actions.map_or("", |actions| actions.repository.as_str());
    let owner = &context.owner;
    let source = context
        .credential
        .facts()
        .map_or("the credential that was used", |facts| &facts.source);
    let mut evidence = case.basics();
    evidence.push(format!(
        "the workflow runs in {repository}, and the package would be {owner}'s as well"
    ));
    Cause {
        code: Code::NamespaceMismatch,
        likelihood: Likelihood::Likely,
        why: format!(
            "the token is of an installation that is not there: it is not this job's, or {repository} was transferred or \
             renamed while the run went on"
        ),
        evidence,
        remedy: format!(
            "Make sure that {source} holds this job's own token, `${{{{ secrets.GITHUB_TOKEN }}}}`, and not one that was \
             made for another account. If it does, start a new run of the repository as it is called now."
        ),
        url: None,
    }
}

fn moved_home(case: &Case, own: &str) -> String {
    let context = &case.context;
    let file = context
        .actions
        .as_ref()
        .and_then(|actions| actions.workflow_file.as_deref())
        .unwrap_or("the workflow's file");
    format!(
        "In {file}, push to {}/{}/{}. If it must be {}, push with a classic token (scope write:packages) \
         of a user who may write there; such a token stays valid when the job is over, so keep it in a secret.",
        case.registry(),
        own.to_lowercase(),
        named(&context.package, "PACKAGE"),
        context.full_name(),
    )
}

fn no_owner(case: &Case) -> Cause {
    let context = &case.context;
    if context.owner_exists == Some(true) {
        return unknown_to_the_registry(case);
    }
    let owner = named(&context.owner, "that name");
    let own = context.foreign_owner();
    let remedy = match own {
        Some(own) => format!(
            "Check the spelling of {owner}. The workflow's repository belongs to {own}: \
             {}/{}/{} would be its package.",
            case.registry(),
            own.to_lowercase(),
            named(&context.package, "PACKAGE")
        ),
        None => format!(
            "Check the spelling of {owner}: it has to be the account's name in lower case, with its hyphens, and \
             not the name that is displayed. After a rename it is the new one."
        ),
    };
    Cause {
        code: Code::OwnerNotFound,
        likelihood: Likelihood::Proven,
        why: format!("GitHub knows no user or organization named {owner}"),
        evidence: case.basics(),
        remedy,
        url: None,
    }
}

/// The registry does not know whom GitHub knows.
fn unknown_to_the_registry(case: &Case) -> Cause {
    let owner = &case.context.owner;
    let mut evidence = case.basics();
    evidence.push(format!("GitHub knows {owner}"));
    Cause {
        code: Code::OwnerNotFound,
        likelihood: Likelihood::Possible,
        why: format!(
            "the registry does not find {owner}, whom GitHub knows: another name was sent, or {owner} was made or renamed \
             a short while ago"
        ),
        evidence,
        remedy: format!(
            "Look at the reference that was sent: its owner has to be {}. If it is, push again in some minutes.",
            owner.to_lowercase()
        ),
        url: None,
    }
}

/// `permission_denied: create_package`: the package does not exist, and this credential may not make it.
fn cannot_create(case: &Case) -> Option<Diagnosis> {
    let context = &case.context;
    let mut causes = Vec::new();
    match context.kind() {
        Some(TokenKind::FineGrainedPersonal) => {
            causes.push(scope::fine_grained(case, Likelihood::Likely));
        }
        Some(TokenKind::Installation) if context.foreign_owner().is_some() => {
            causes.push(mismatch(case, Likelihood::Likely));
        }
        _ if context.token.lacks_scope() => causes.push(scope::missing(case, Likelihood::Likely)),
        _ => {}
    }
    causes.push(not_there(case));
    if context.owner_kind != Some(OwnerKind::User) {
        causes.push(policy_on_creation(case, Likelihood::Possible));
    }
    let name = context.full_name();
    Diagnosis::of(
        format!("{name} does not exist, and this credential may not create it"),
        causes,
    )
}

fn not_there(case: &Case) -> Cause {
    let context = &case.context;
    let owner = named(&context.owner, "this owner");
    let mut evidence = case.basics();
    evidence.push("\"create_package\": the package does not exist yet".to_owned());
    let login = context.token.login.as_deref();
    let mut likelihood = Likelihood::Likely;
    let (why, remedy) = match login {
        Some(login) if login.eq_ignore_ascii_case(&context.owner) => {
            evidence.push(format!("GitHub says that the token is {login}'s own"));
            (
                format!("{login} may create no packages of their own"),
                // https://docs.github.com/packages/learn-github-packages/introduction-to-github-packages
                "If the account is managed by an enterprise, it has no packages of its own: push to an \
                 organization of the enterprise."
                    .to_owned(),
            )
        }
        Some(login) => {
            evidence.push(format!("GitHub says that the token is {login}'s"));
            if context.owner_kind == Some(OwnerKind::User) {
                likelihood = Likelihood::Proven;
            }
            (
                format!("{login} may not create packages of {owner}"),
                format!(
                    "Push to {}/{}/{}, or use a token of somebody who may create packages of {owner}.",
                    case.registry(),
                    login.to_lowercase(),
                    named(&context.package, "PACKAGE")
                ),
            )
        }
        None => (
            format!("whoever the token stands for may not create packages of {owner}"),
            format!(
                "Check that {owner} is the owner that is meant. If it is, push with a token of that user, or of a \
                 member of that organization who may create packages."
            ),
        ),
    };
    Cause {
        code: Code::CannotCreatePackage,
        likelihood,
        why,
        evidence,
        remedy,
        url: context
            .owner_kind
            .is_some_and(|kind| kind == OwnerKind::Organization)
            .then(|| page::organization_packages(context)),
    }
}

fn named<'a>(name: &'a str, otherwise: &'a str) -> &'a str {
    if page::is_hidden(name) {
        otherwise
    } else {
        name
    }
}
