//! A pull was refused: a base image, a build's cache, a chart, an image that a node is to run.
//!
//! Nobody needs a right to a public package, but a stale credential is refused even there
//! (<https://github.com/dexidp/dex/issues/2672>). Without a credential, private packages and those that do not exist
//! are refused alike. What gives the right to write does nothing here.

use oci_push::Step;

use super::{credential, limit, package};
use crate::case::Case;
use crate::context::{Client, Credential};
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::page;
use crate::place::asks_for_placeholder;

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    if !case.evidence.is_pull {
        return None;
    }
    absent(case).or_else(|| refused(case))
}

/// The registry has no such tag or digest, which it says only to those who may see the package.
fn absent(case: &Case) -> Option<Diagnosis> {
    if !case.evidence.has_code("MANIFEST_UNKNOWN") && !case.says("manifest unknown") {
        return None;
    }
    let explanation = Cause {
        code: Code::ManifestUnknown,
        likelihood: Likelihood::Proven,
        why:
            "the package may be read, and has no such tag or digest. Permissions are not the matter"
                .to_owned(),
        evidence: case.basics(),
        remedy: format!(
            "Check the tag of {}. If it is an index's part that is missing, the image was pushed without it: push it \
             again, whole.",
            what(case)
        ),
        url: None,
    };
    Diagnosis::of("there is no such image", vec![explanation])
}

fn refused(case: &Case) -> Option<Diagnosis> {
    let others = ["requested installation does not exist", "owner not found"];
    if !case.is_denial() || others.iter().any(|phrase| case.says(phrase)) {
        return None;
    }
    let is_anonymous = case.evidence.anonymous == Some(true)
        || matches!(case.context.credential, Credential::Absent);
    let is_unauthorized =
        case.evidence.status == Some(401) || case.evidence.has_code("UNAUTHORIZED");
    let at_token_service = case.evidence.step == Some(Step::FetchToken);
    let mut causes = Vec::new();
    if case.says("does not match expected scopes") {
        causes.push(missing_scope(case));
    } else if case.says("read_package") || case.says("installation not allowed to read") {
        causes.push(unreadable(case, Likelihood::Likely));
        causes.push(package::just_created(case, Likelihood::Possible));
    } else if is_anonymous {
        causes.push(hidden(case, Likelihood::Proven));
    } else if case.says("user cannot be authenticated") {
        causes.push(stale(case, Likelihood::Likely));
    } else if (is_unauthorized || credential::is_told_to_nobody(case))
        && case.evidence.anonymous != Some(false)
    {
        causes.push(hidden(case, Likelihood::Likely));
        causes.push(stale(case, Likelihood::Possible));
    } else if at_token_service || !case.is_silent() {
        causes.push(stale(case, Likelihood::Likely));
        causes.push(unreadable(case, Likelihood::Possible));
    } else {
        // The token service had no objection; no more is known.
        causes.push(unreadable(case, Likelihood::Possible));
        causes.push(stale(case, Likelihood::Possible));
        causes.push(limit::wait_for_secondary(case, Likelihood::Possible));
    }
    Diagnosis::of("the pull was refused", causes)
}

/// What was to be pulled.
fn what(case: &Case) -> &str {
    match case.context.reference.as_str() {
        "" => "the image",
        reference => reference,
    }
}

/// How to log in so that private packages can be read, as the rest of a sentence that asks for it.
fn login(case: &Case) -> String {
    let job = if case.evidence.client == Some(Client::Kubelet) {
        ""
    } else {
        "; in a workflow the job's GITHUB_TOKEN, which needs `packages: read`"
    };
    format!(
        "{} (a classic token with the scope read:packages{job})",
        case.login()
    )
}

/// A credential that is no longer good.
fn stale(case: &Case, likelihood: Likelihood) -> Cause {
    Cause {
        code: Code::CredentialRejected,
        likelihood,
        why: "the stored credential is wrong, expired or revoked. A stale one refuses even packages that are public"
            .to_owned(),
        evidence: case.basics(),
        remedy: format!(
            "Try without it: {}, and pull again; a public package needs no credential. For a private one {}.",
            case.logout(),
            login(case)
        ),
        url: Some(page::new_reading_token(&case.context)),
    }
}

/// Without a credential, what is private and what is not there look alike.
fn hidden(case: &Case, likelihood: Likelihood) -> Cause {
    let mut evidence = case.basics();
    if case.evidence.anonymous == Some(true) {
        evidence.push("the client asked for an anonymous token: it had no credential".to_owned());
    }
    let url = case.evidence.url.as_deref();
    let update = if url.is_some_and(asks_for_placeholder) {
        evidence.push(
            "the request asks for a right to `user/image` as well, which only stands for a name"
                .to_owned(),
        );
        "Update the tool: Helm 3.13.0 asked for that right by mistake, and was refused public packages \
         (https://github.com/helm/helm/issues/12449). "
    } else {
        ""
    };
    let likelihood = if update.is_empty() {
        likelihood
    } else {
        Likelihood::Likely
    };
    Cause {
        code: Code::CredentialMissing,
        likelihood,
        why: "without a credential only public packages can be read: this one is private, or there is none of that name"
            .to_owned(),
        evidence,
        remedy: format!(
            "{update}Check the name of {}. If it is right, {}. Or whoever owns the package makes it public, \
             which shows every version that it holds and cannot be undone.",
            what(case),
            login(case)
        ),
        url: Some(page::new_reading_token(&case.context)),
    }
}

/// The credential is good, and the package does not admit it.
fn unreadable(case: &Case, likelihood: Likelihood) -> Cause {
    let context = &case.context;
    Cause {
        code: Code::PackageUnreadable,
        likelihood,
        why: "the package is private and does not give the one who pulls the role Read, or there is none of that name"
            .to_owned(),
        evidence: case.basics(),
        remedy: format!(
            "Check the name of {}. If it is right, ask an administrator of the package to open {} and to give the role \
             Read: to a workflow's repository under \"Manage Actions access\" (the job needs `packages: read` besides), \
             to a person under \"Manage access\".",
            what(case),
            page::package_settings_named(context)
        ),
        url: page::package_settings(context).into_iter().next(),
    }
}

/// The words do not say which scope it is that lacks.
fn missing_scope(case: &Case) -> Cause {
    let page = page::new_reading_token(&case.context);
    Cause {
        code: Code::MissingScope,
        likelihood: Likelihood::Proven,
        why: "the token does not have the scope read:packages, or is a fine-grained one, which the registry does not take"
            .to_owned(),
        evidence: case.basics(),
        remedy: format!(
            "Make a classic token with the scope read:packages at {page}, and {}, with that. For gh's token: `gh auth \
             refresh -h {} -s read:packages`.",
            case.login(),
            case.context.web_host
        ),
        url: Some(page),
    }
}
