//! `The token provided does not match expected scopes`: the token is of a kind, or with scopes, that
//! cannot push.
//!
//! GitHub Packages takes classic personal access tokens only
//! (<https://docs.github.com/en/packages/learn-github-packages/about-permissions-for-github-packages#about-scopes-and-permissions-for-package-registries>);
//! a fine-grained one always fails so (<https://github.com/docker/login-action/issues/331>). gh's token has
//! no packages scope unless it is asked for (<https://github.com/cli/cli/issues/5150>).

use crate::case::Case;
use crate::context::TokenKind;
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::page;

/// What to push with instead of an installation token that is refused.
pub(super) const JOBS_TOKEN: &str = "Push with this job's own token, and nothing that goes before it:\n\n    env:\n      \
     GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}\n\nThe job needs `packages: write` in its `permissions:`. The token ends \
     with its job, so that one that was kept is worth nothing.";

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    super::with_shadows(case, explained(case))
}

fn explained(case: &Case) -> Option<Diagnosis> {
    if !case.says("match expected scopes") && !case.says("not match expected scope") {
        return None;
    }
    let kind = case.context.kind();
    let mut causes = Vec::new();
    match kind {
        Some(TokenKind::FineGrainedPersonal) => causes.push(fine_grained(case, Likelihood::Proven)),
        Some(TokenKind::ClassicPersonal | TokenKind::OAuth) => {
            causes.push(missing(case, Likelihood::Proven));
        }
        _ => {
            causes.push(missing(case, Likelihood::Likely));
            if kind.is_none_or(|kind| kind == TokenKind::Unknown) {
                causes.push(fine_grained(case, Likelihood::Possible));
            }
        }
    }
    Diagnosis::of("the token is not one that may push packages", causes)
}

/// The cause that a fine-grained token is, for any refusal of one.
pub(super) fn fine_grained(case: &Case, likelihood: Likelihood) -> Cause {
    let mut evidence = case.basics();
    if case.context.kind() == Some(TokenKind::FineGrainedPersonal) {
        evidence.push("it begins with github_pat_".to_owned());
    } else {
        evidence.push("holds if the token begins with github_pat_".to_owned());
    }
    Cause {
        code: Code::FineGrainedTokenUnsupported,
        likelihood,
        why: "the token is a fine-grained personal access token; the registry takes classic ones only, whatever \
              a fine-grained one is granted"
            .to_owned(),
        evidence,
        remedy: format!(
            "Make a classic token with the scope write:packages at {} and use that. In a workflow use the \
             job's own GITHUB_TOKEN instead, which no person has to renew.",
            page::new_token(&case.context)
        ),
        url: Some(page::new_token(&case.context)),
    }
}

/// The cause that the scope is missing.
pub(super) fn missing(case: &Case, likelihood: Likelihood) -> Cause {
    let context = &case.context;
    let mut evidence = case.basics();
    if let Some(scopes) = &context.token.scopes {
        evidence.push(if scopes.is_empty() {
            "GitHub says that the token has no scope".to_owned()
        } else {
            format!(
                "GitHub says that the token's scopes are {}",
                scopes.join(", ")
            )
        });
    }
    if context.is_for_the_jobs_token() {
        return Cause {
            code: Code::MissingScope,
            likelihood,
            why: "the token is not one that may write packages; an installation's has no scopes, but the permissions that \
                  its job or its App was given"
                .to_owned(),
            evidence,
            remedy: JOBS_TOKEN.to_owned(),
            url: None,
        };
    }
    let remedy = if context.kind() == Some(TokenKind::OAuth) {
        format!(
            "Run\n\n    gh auth refresh -h {} -s write:packages\n\nand push again with the token that `gh auth token` \
             prints then.",
            context.web_host
        )
    } else {
        format!(
            "Make a classic token with the scope write:packages at {}, or tick that scope for the one you have \
             at {}, and push again.",
            page::new_token(context),
            page::tokens(context)
        )
    };
    Cause {
        code: Code::MissingScope,
        likelihood,
        why: "the token does not have the scope write:packages".to_owned(),
        evidence,
        remedy,
        url: (context.kind() != Some(TokenKind::OAuth)).then(|| page::new_token(context)),
    }
}
