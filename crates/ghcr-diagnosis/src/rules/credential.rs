//! The credential itself is missing or bad.
//!
//! ghcr.io's token service answers a bad, expired or revoked credential with 403 `denied`, not with 401
//! (<https://github.com/sigstore/scaffolding/issues/127>), and an anonymous request for the right to push
//! likewise (<https://github.com/project-copacetic/copacetic/issues/266>). `User cannot be authenticated` is
//! mostly said where nobody logged in (<https://github.com/docker/build-push-action/issues/617>).

mod bad;
mod cure;

use oci_push::Step;

use crate::case::{Case, described};
use crate::context::{Credential, Tool};
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::page;

use super::installation::{of_run, perhaps_fork};

/// Messages that say nothing but that the credential, or its absence, was not taken.
const PLAIN: [&str; 5] = [
    "denied",
    "denied: denied",
    "invalid token",
    "unauthorized",
    "unauthorized: unauthorized",
];

/// The same, wherever they stand.
const PHRASES: [&str; 8] = [
    "user cannot be authenticated",
    "authentication required",
    "requested access to the resource is denied",
    "incorrect username or password",
    "invalid username/password",
    "bad credentials",
    "no basic auth credentials",
    "anonymous token",
];

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    if is_exchange(case) {
        let summary = "the registry takes no identity token";
        return Diagnosis::of(summary, vec![bad::exchanged(case)]);
    }
    if !is_matter_of_credential(case) {
        return None;
    }
    if is_bare_after_success(case) {
        return None;
    }
    let context = &case.context;
    let anonymous = case.evidence.anonymous == Some(true);
    summarised(match &context.credential {
        Credential::Absent => nothing(case, Likelihood::Proven),
        _ if anonymous => nothing(case, Likelihood::Proven),
        Credential::Used(facts) => bad::causes(case, facts),
        Credential::Unknown => either(case),
    })
}

/// The diagnosis before anything is asked, where no credential was found.
pub(crate) fn before(case: &Case) -> Option<Diagnosis> {
    summarised(nothing(case, Likelihood::Proven))
}

fn summarised(causes: Vec<Cause>) -> Option<Diagnosis> {
    let likeliest = causes.iter().min_by_key(|cause| cause.likelihood);
    let summary = match likeliest.map(|cause| (cause.code, cause.likelihood)) {
        Some((Code::CredentialMissing, Likelihood::Proven)) => "no credential was found",
        Some((Code::CredentialMissing, Likelihood::Likely)) => "probably no credential was sent",
        Some((Code::CredentialMissing, Likelihood::Possible)) => "perhaps no credential was sent",
        Some((Code::CredentialEmpty, _)) => "the credential is empty",
        Some((Code::ForkPullRequest | Code::Dependabot, _)) => {
            "the run is given no credential that may push"
        }
        _ => "the credential was not accepted",
    };
    Diagnosis::of(summary, causes)
}

fn is_matter_of_credential(case: &Case) -> bool {
    let evidence = &case.evidence;
    let is_refusal = match evidence.status {
        Some(401 | 403) => true,
        Some(_) => false,
        None => case.is_denial() || evidence.anonymous == Some(true) || phrased(case),
    };
    let at_token_service = evidence.step == Some(Step::FetchToken);
    is_refusal
        && (at_token_service
            || evidence.status == Some(401)
            || evidence.anonymous == Some(true)
            || plain(case)
            || phrased(case))
}

/// Whether an identity token was to be exchanged by POST, which ghcr.io's token service does not know: it answers 405.
/// Clients that have a user name go on to ask with GET
/// (<https://github.com/containerd/containerd/blob/main/core/remotes/docker/authorizer.go>).
fn is_exchange(case: &Case) -> bool {
    let evidence = &case.evidence;
    let is_at_service = evidence.step == Some(Step::FetchToken)
        || evidence.url.as_deref().is_some_and(|url| {
            url.split('?')
                .next()
                .is_some_and(|url| url.ends_with("/token"))
        });
    is_at_service && evidence.status == Some(405) && evidence.method.as_deref() == Some("POST")
}

fn phrased(case: &Case) -> bool {
    PHRASES.iter().any(|phrase| case.says(phrase))
}

/// Whether the messages are nothing but a plain refusal. A 403 without any words is another matter.
fn plain(case: &Case) -> bool {
    let errors = &case.evidence.errors;
    let words = case.evidence.words().to_lowercase();
    let bare = words.is_empty()
        && (case.evidence.has_code("UNAUTHORIZED")
            || (case.evidence.has_code("DENIED") && is_before_any_package(case)));
    bare || is_refused_look(case) || (!errors.is_empty() && PLAIN.contains(&words.trim()))
}

/// Whether a plain "denied" comes after the same credential was taken: another tag was pushed, or the blobs of this
/// one. What is known of the credential itself says more.
pub(super) fn is_bare_after_success(case: &Case) -> bool {
    let evidence = &case.evidence;
    let is_last = matches!(evidence.step, Some(Step::PutManifest | Step::PutTag));
    (is_last || evidence.pushed_before.is_some())
        && case.context.credential == Credential::Unknown
        && evidence.anonymous != Some(true)
        && matches!(evidence.status, None | Some(403))
        && matches!(
            evidence.words().to_lowercase().trim(),
            "denied" | "denied: denied"
        )
}

/// Whether no right to a package was in question yet: the look at `/v2/`, the token service, and pulls, which a stale
/// credential refuses even where everybody may pull (<https://github.com/dexidp/dex/issues/2672>).
fn is_before_any_package(case: &Case) -> bool {
    let evidence = &case.evidence;
    let path = path(case);
    let is_pull = evidence.method.as_deref() == Some("GET")
        && (path.contains("/manifests/") || path.contains("/blobs/sha256:"));
    is_look(path) || is_pull || path.starts_with("token") || evidence.step == Some(Step::FetchToken)
}

/// The path that was asked for, without the slash in front.
fn path(case: &Case) -> &str {
    case.evidence.url.as_deref().map_or("", |url| {
        let url = url.split_once("://").map_or(url, |(_, rest)| rest);
        url.split_once('/').map_or("", |(_, path)| path)
    })
}

/// Whether it is the path that a login asks for.
fn is_look(path: &str) -> bool {
    matches!(path.split('?').next(), Some("v2" | "v2/"))
}

/// Whether the look at `/v2/` was refused with a 403 and no word: who brings no credential is told 401 there
/// (<https://distribution.github.io/distribution/spec/auth/token/>).
fn is_refused_look(case: &Case) -> bool {
    case.evidence.status == Some(403)
        && case.is_silent()
        && case.evidence.trouble.is_none()
        && is_look(path(case))
}

/// Whether ghcr.io's token service answered in the words that it has for those who bring no credential; a bad one is
/// told "denied" alone (<https://github.com/package-operator/package-operator/issues/700>,
/// <https://github.com/dragonflydb/dragonfly-operator/issues/383>).
pub(super) fn is_told_to_nobody(case: &Case) -> bool {
    case.evidence.step == Some(Step::FetchToken)
        && case.says("requested access to the resource is denied")
}

/// It is not known whether a credential was sent.
fn either(case: &Case) -> Vec<Cause> {
    // ghcr.io's token service answers a credential that it does not take with 403, and none with 401.
    let is_absent = case.evidence.status == Some(401) && cure::is_of_github(case.login_host());
    let at_token_service = case.evidence.step == Some(Step::FetchToken);
    let denied = (at_token_service && !is_absent && !is_told_to_nobody(case))
        || is_refused_look(case)
        || (plain(case) && case.evidence.status != Some(401) && case.evidence.has_code("DENIED"));
    let (rejected, missing) = if denied {
        (Likelihood::Likely, Likelihood::Possible)
    } else {
        (Likelihood::Possible, Likelihood::Likely)
    };
    if case.evidence.anonymous == Some(false) {
        return vec![bad::rejected(case, None, Likelihood::Likely)];
    }
    let mut causes = nothing(case, missing);
    causes.push(bad::rejected(case, None, rejected));
    causes
}

/// No credential was sent: there is none, or the one that was meant is empty.
fn nothing(case: &Case, likelihood: Likelihood) -> Vec<Cause> {
    let context = &case.context;
    let mut causes = of_run(case);
    // What the run is not given, no login gives it: the cure is for the repository's own runs.
    let likelihood = if causes.is_empty() {
        likelihood
    } else {
        Likelihood::Possible
    };
    let lacking = if context.empty_variables.is_empty() {
        missing(case, likelihood)
    } else {
        empty(case, likelihood)
    };
    causes.push(lacking);
    causes.extend(perhaps_fork(case));
    causes
}

fn missing(case: &Case, likelihood: Likelihood) -> Cause {
    let context = &case.context;
    let mut evidence: Vec<String> = case.answer().into_iter().collect();
    if case.evidence.anonymous == Some(true) {
        evidence.push("the client asked for an anonymous token: it had no credential".to_owned());
    }
    evidence.extend(looked(case));
    let host = case.login_host();
    let cure = cure::of(case, host);
    let remedy = match context.source_problems.first() {
        // What is kept there may be all that is missing.
        Some(problem) => format!("Mend this first: {problem}. If nothing is kept there: {cure}"),
        None => cure,
    };
    Cause {
        code: Code::CredentialMissing,
        likelihood,
        why: "nobody may push anonymously, and no credential for the registry was found".to_owned(),
        evidence,
        remedy,
        url: (cure::is_of_github(host) && !cure::is_for_the_jobs(case, host))
            .then(|| page::new_token(context)),
    }
}

/// A secret that does not exist, or is withheld from the run, is an empty text.
fn empty(case: &Case, likelihood: Likelihood) -> Cause {
    let variables = case.context.empty_variables.join(", ");
    let mut evidence: Vec<String> = case.answer().into_iter().collect();
    evidence.push(format!("set but empty: {variables}"));
    evidence.extend(looked(case));
    Cause {
        code: Code::CredentialEmpty,
        likelihood,
        why: format!(
            "{variables} {} empty, so that no credential was sent",
            if case.context.empty_variables.len() == 1 {
                "is"
            } else {
                "are"
            }
        ),
        evidence,
        remedy: if case.context.tool == Tool::GhcrPush && case.context.actions.is_none() {
            format!(
                "Give {variables} a value, or leave it out and log in with `docker login {}`.",
                case.login_host()
            )
        } else {
            "Check the name of the secret, that it exists for this repository (or its environment), and that the \
                 run may have it: runs for pull requests from forks have no secrets, Dependabot's only its own. For \
                 packages of the repository itself `secrets.GITHUB_TOKEN` is always there."
                .to_owned()
        },
        url: None,
    }
}

/// Where a credential was looked for, a line each.
fn looked(case: &Case) -> impl Iterator<Item = String> {
    let places = case.context.searched.iter();
    places.map(|place| format!("looked at {place}"))
}

/// What was passed over in favour of the credential that was used.
pub(super) fn shadows(case: &Case) -> Vec<String> {
    let context = &case.context;
    let passed_over = context.shadowed.iter().map(|facts| {
        format!(
            "passed over in its favour: the one from {}",
            described(facts)
        )
    });
    let empty = context
        .empty_variables
        .iter()
        .map(|name| format!("{name} is set, but empty"));
    passed_over.chain(empty).collect()
}
