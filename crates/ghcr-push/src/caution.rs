//! What is known to go wrong, said before a byte moves.
//!
//! Nothing is refused here that the registry might take after all: rules change, and a warning costs nothing.

use ghcr_diagnosis::{Code, CredentialFacts, TokenKind};
use oci_push::{Profile, Pusher, Reference};

use crate::content::{self, SOURCE};
use crate::explain::Attempt;
use crate::github;
use crate::quantity::display_size;
use crate::reference::first_of_each_repository;
use crate::settings;

/// ghcr.io takes no larger layer
/// (<https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry>).
const LARGEST_LAYER: u64 = 10_000_000_000;

/// Something that will probably go wrong, or has to be known beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caution {
    /// What a refusal for this reason is called.
    pub(crate) code: Code,
    pub(crate) text: String,
}

impl Caution {
    /// The line for people.
    pub(crate) fn line(&self) -> String {
        format!("warning: {} ({})", self.text, self.code)
    }
}

/// What is known of one reference without asking anybody.
#[derive(Debug, Clone, Copy, Default)]
struct Facts<'a> {
    host: &'a str,
    owner: &'a str,
    credential: Option<&'a CredentialFacts>,
    /// `owner/name` of the run's repository.
    run: Option<&'a str>,
    largest_layer: Option<u64>,
}

/// What is to be said about a push to GitHub's registries, each thing once.
pub(crate) fn cautions(attempt: &Attempt, references: &[Reference]) -> Vec<Caution> {
    let largest_layer = attempt.content.and_then(content::largest_layer);
    let mut cautions: Vec<Caution> = Vec::new();
    for reference in references {
        if settings::profile_of(attempt.arguments, reference) != Profile::Ghcr {
            continue;
        }
        let host = reference.resolve_registry();
        let found = attempt.credentials.of(reference);
        let facts = Facts {
            host,
            owner: reference.repository().split('/').next().unwrap_or_default(),
            credential: found.map(|found| &found.facts),
            run: github::repository(attempt.environment),
            largest_layer,
        };
        for caution in of(&facts) {
            if !cautions.contains(&caution) {
                cautions.push(caution);
            }
        }
    }
    cautions
}

fn of(facts: &Facts) -> Vec<Caution> {
    let mut cautions = Vec::new();
    let mut add = |code, text| cautions.push(Caution { code, text });
    let host = facts.host;
    let kind = facts.credential.map(|credential| credential.kind);
    let source = facts.credential.map_or("", |credential| &credential.source);
    if kind == Some(TokenKind::FineGrainedPersonal) {
        add(
            Code::FineGrainedTokenUnsupported,
            format!(
                "the token from {source} is a fine-grained one, and {host} takes only classic ones, with the scope \
                 write:packages, or a workflow's GITHUB_TOKEN"
            ),
        );
    }
    let own = facts.run.and_then(|run| run.split('/').next());
    if let (Some(own), Some(TokenKind::Installation)) = (own, kind)
        && !own.eq_ignore_ascii_case(facts.owner)
    {
        let owner = facts.owner;
        add(
            Code::NamespaceMismatch,
            format!(
                "a workflow's own token is good for packages of {own} only, and this push goes to {owner}; push to \
                 {host}/{}/..., or use a classic token of somebody who may write there",
                own.to_lowercase()
            ),
        );
    }
    if let Some(size) = facts.largest_layer.filter(|size| *size > LARGEST_LAYER) {
        add(
            Code::LayerTooLarge,
            format!(
                "the image has a layer of {}, and {host} takes none over 10 GB; divide what makes it into several \
                 steps of the build",
                display_size(size)
            ),
        );
    }
    cautions
}

/// Variables that should hold a credential, and are empty. The search for credentials has said so already.
pub(crate) fn empty_credentials(attempt: &Attempt<'_>, references: &[Reference]) -> Vec<Caution> {
    let mut cautions: Vec<Caution> = Vec::new();
    for reference in references {
        for name in attempt.credentials.empty_variables(reference) {
            let caution = Caution {
                code: Code::CredentialEmpty,
                text: format!("{name} is set but empty"),
            };
            if !cautions.contains(&caution) {
                cautions.push(caution);
            }
        }
    }
    cautions
}

/// Says which packages this push creates without a link to any repository, if it is done by hand: such a package is
/// private, and refuses the workflow that is to push to it later. Asks the registry which there are.
pub(crate) async fn unlinked(
    attempt: &Attempt<'_>,
    pusher: &Pusher,
    references: &[Reference],
) -> Vec<Caution> {
    let is_run = github::repository(attempt.environment).is_some();
    let has_source = |content| content::source(content).is_some();
    if is_run || attempt.content.is_none_or(has_source) || annotated(attempt) {
        return Vec::new();
    }
    let mut cautions = Vec::new();
    // Each question costs a token.
    for reference in first_of_each_repository(references) {
        if settings::profile_of(attempt.arguments, reference) == Profile::Ghcr
            && pusher.has_repository(reference).await == Some(false)
        {
            cautions.push(unlinked_at(reference));
        }
    }
    cautions
}

/// Whether the annotation is among those that are asked for; an image that is still to be finished does not have
/// it yet.
fn annotated(attempt: &Attempt) -> bool {
    let mut annotations = attempt.arguments.image.annotations.iter();
    annotations.any(|annotation| annotation.contains(&format!("{SOURCE}=")))
}

fn unlinked_at(reference: &Reference) -> Caution {
    let name = reference.repository();
    let owner = name.split('/').next().unwrap_or_default();
    let site = github::web_host(reference.resolve_registry());
    Caution {
        code: Code::PackageDeniesRepository,
        text: format!(
            "as far as this credential can see, {name} does not exist yet: this push would create it private and linked to \
             no repository, so that workflows are refused later. Link it with --annotation \
             {SOURCE}=https://{site}/{owner}/REPOSITORY, or with a label of that name in the build"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(kind: TokenKind, run: Option<&str>, largest_layer: Option<u64>) -> Vec<&'static str> {
        let credential = CredentialFacts {
            source: "GITHUB_TOKEN".to_owned(),
            kind,
        };
        let facts = Facts {
            host: "ghcr.io",
            owner: "owner",
            credential: Some(&credential),
            run,
            largest_layer,
        };
        of(&facts).iter().map(|one| one.code.as_str()).collect()
    }

    #[test]
    fn known_beforehand() {
        use TokenKind::{ClassicPersonal, FineGrainedPersonal, Installation};
        for (kind, run, size, expected) in [
            (ClassicPersonal, None, None, &[][..]),
            (
                FineGrainedPersonal,
                None,
                None,
                &["fine-grained-token-unsupported"],
            ),
            (Installation, None, None, &[]),
            (Installation, Some("Owner/app"), None, &[]),
            (
                Installation,
                Some("other/app"),
                None,
                &["namespace-mismatch"],
            ),
            // A person may well push elsewhere than where the workflow runs.
            (ClassicPersonal, Some("other/app"), None, &[]),
            (ClassicPersonal, None, Some(LARGEST_LAYER), &[]),
            (
                ClassicPersonal,
                None,
                Some(LARGEST_LAYER + 1),
                &["layer-too-large"],
            ),
        ] {
            assert_eq!(
                codes(kind, run, size),
                expected,
                "{kind:?} {run:?} {size:?}"
            );
        }
        assert_eq!(of(&Facts::default()), []);
    }
}
