//! A credential was sent, and not taken.

use super::shadows;
use crate::case::{Case, UNKNOWN_HOST};
use crate::context::{CredentialFacts, TokenKind};
use crate::diagnosis::{Cause, Code, Likelihood};
use crate::page;
use crate::rules::{account, scope};

/// The causes, for a credential of which this much is known.
pub(super) fn causes(case: &Case, facts: &CredentialFacts) -> Vec<Cause> {
    let context = &case.context;
    if context.token.expired == Some(true) {
        return vec![expired(case, Likelihood::Proven)];
    }
    let mut causes: Vec<Cause> = account::refused_by_the_api(case).into_iter().collect();
    let likelihood = if context.token.accepted == Some(false) || facts.kind == TokenKind::Refresh {
        Likelihood::Proven
    } else if context.succeeded_before == Some(true) {
        causes.push(expired(case, Likelihood::Likely));
        Likelihood::Possible
    } else {
        Likelihood::Likely
    };
    if context.token.accepted != Some(false) {
        if facts.kind == TokenKind::FineGrainedPersonal {
            causes.push(scope::fine_grained(case, Likelihood::Likely));
        } else if context.token.lacks_scope() {
            causes.push(scope::missing(case, Likelihood::Likely));
        }
    }
    // What the API takes is neither wrong nor expired; another cause explains the refusal better.
    let likelihood = if context.token.accepted == Some(true) && !causes.is_empty() {
        Likelihood::Possible
    } else {
        likelihood
    };
    causes.push(rejected(case, Some(facts), likelihood));
    causes
}

/// The cause that the credential is no good.
pub(super) fn rejected(
    case: &Case,
    facts: Option<&CredentialFacts>,
    likelihood: Likelihood,
) -> Cause {
    let context = &case.context;
    let mut evidence = case.basics();
    evidence.extend(shadows(case));
    evidence.extend(context.token.accepted.map(|accepted| {
        if accepted {
            "GitHub's API takes it".to_owned()
        } else {
            "GitHub's API does not take it either".to_owned()
        }
    }));
    evidence.extend(end(case));
    let site = context
        .actions
        .as_ref()
        .and_then(|actions| actions.site.as_deref())
        .filter(|site| !site.eq_ignore_ascii_case(&context.web_host));
    let why = match (facts.map(|facts| facts.kind), site) {
        (Some(TokenKind::Refresh), _) => {
            "the token is a refresh token, which is good for nothing but getting another".to_owned()
        }
        (_, Some(site)) => format!(
            "the workflow runs at {site}, whose tokens are worth nothing at {}",
            context.web_host
        ),
        _ if context.token.accepted == Some(true) => {
            "the registry does not take the credential, which GitHub's API takes".to_owned()
        }
        _ => "the credential is wrong, expired or revoked".to_owned(),
    };
    let place = facts.map_or_else(
        || "where the tool that pushed found it".to_owned(),
        |facts| format!("that comes from {}", facts.source),
    );
    // A variable is not touched by a logout.
    let is_stored = facts.is_none_or(|facts| {
        ["config", "auth.json", "helper", "docker", "podman", "store"]
            .iter()
            .any(|name| facts.source.contains(name))
    });
    let logout = if is_stored {
        format!(
            " To take away what a login left behind, {}; a stale one refuses even public pulls.",
            case.logout()
        )
    } else {
        String::new()
    };
    // Another source may hold the one that was meant.
    let other = if facts.is_some() && !context.shadowed.is_empty() {
        " Or take this one away (unset the variable, or log out), so that the one that was passed over is used."
    } else {
        ""
    };
    let is_known = case.login_host() != UNKNOWN_HOST;
    if context.is_for_the_jobs_token() {
        return Cause {
            code: Code::CredentialRejected,
            likelihood,
            why,
            evidence,
            remedy: scope::JOBS_TOKEN.to_owned(),
            url: None,
        };
    }
    Cause {
        code: Code::CredentialRejected,
        likelihood,
        why,
        evidence,
        remedy: if is_known {
            format!(
                "Replace the credential {place}. A new classic personal access token needs the scope \
                 write:packages.{logout}{other}"
            )
        } else {
            format!("Replace the credential {place}.{logout}{other}")
        },
        url: is_known.then(|| page::new_token(context)),
    }
}

/// The cause that an identity token was presented, which the registry's token service does not exchange.
pub(super) fn exchanged(case: &Case) -> Cause {
    let mut evidence = case.basics();
    evidence.extend(shadows(case));
    evidence.push("tokens are asked for by POST with an identity token only".to_owned());
    Cause {
        code: Code::CredentialRejected,
        likelihood: Likelihood::Likely,
        why: format!(
            "{} takes a user name with a token, and what was presented is an identity token (`identitytoken` in the \
             login's file)",
            case.login_host()
        ),
        evidence,
        remedy: format!(
            "Take the entry away: {}. Then {}, with a user name and a token.",
            case.logout(),
            case.login()
        ),
        url: None,
    }
}

/// When the credential ends or has ended, as evidence.
fn end(case: &Case) -> Option<String> {
    let token = &case.context.token;
    let moment = token.expires.as_ref()?;
    let ends = if token.expired == Some(true) {
        "expired"
    } else {
        "expires"
    };
    Some(format!("GitHub says that it {ends} at {moment}"))
}

fn expired(case: &Case, likelihood: Likelihood) -> Cause {
    let context = &case.context;
    let mut evidence = case.basics();
    evidence.extend(end(case));
    if context.succeeded_before == Some(true) {
        evidence.push("requests with it had succeeded before".to_owned());
    }
    evidence.extend(shadows(case));
    let remedy = if context.is_installation() {
        "Push earlier in the job, or in a job of its own: a workflow's token ends with its job, or after 24 hours in a \
         long one, another App's after one hour."
            .to_owned()
    } else {
        format!(
            "Make a new classic token with the scope write:packages at {}, and replace the old one where it is kept.",
            page::new_token(context)
        )
    };
    Cause {
        code: Code::CredentialExpired,
        likelihood,
        why: "the credential's time is over".to_owned(),
        evidence,
        remedy,
        url: (!context.is_installation()).then(|| page::new_token(context)),
    }
}
