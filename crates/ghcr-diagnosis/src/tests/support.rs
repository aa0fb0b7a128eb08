//! Evidence and contexts for the tests.

use oci_push::{RegistryError, Step};

use crate::{
    ActionsFacts, Context, Credential, CredentialFacts, Diagnosis, Evidence, Likelihood, TokenKind,
};

/// The registry's refusal of the first request that needs the right to push.
pub(super) fn refusal(status: u16, code: &str, message: &str) -> Evidence {
    Evidence {
        step: Some(Step::StartUpload),
        method: Some("POST".to_owned()),
        host: Some("ghcr.io".to_owned()),
        url: Some("https://ghcr.io/v2/owner/app/blobs/uploads/".to_owned()),
        status: Some(status),
        errors: vec![RegistryError {
            code: code.to_owned(),
            message: message.to_owned(),
            detail: None,
        }],
        request_id: Some("C0DE:1234".to_owned()),
        ..Evidence::default()
    }
}

pub(super) fn denied(message: &str) -> Evidence {
    refusal(403, "DENIED", message)
}

/// A refusal without a word.
pub(super) fn silent(step: Step, method: &str) -> Evidence {
    Evidence {
        step: Some(step),
        method: Some(method.to_owned()),
        errors: Vec::new(),
        ..refusal(403, "", "")
    }
}

/// A push at a desk.
pub(super) fn desk(kind: TokenKind) -> Context {
    Context {
        reference: "ghcr.io/owner/app:1".to_owned(),
        owner: "owner".to_owned(),
        package: "app".to_owned(),
        web_host: "github.com".to_owned(),
        credential: Credential::Used(CredentialFacts {
            source: "GHCR_PUSH_TOKEN".to_owned(),
            kind,
        }),
        ..Context::default()
    }
}

/// A push in a workflow's job, with an installation token.
pub(super) fn job() -> Context {
    Context {
        credential: Credential::Used(CredentialFacts {
            source: "GITHUB_TOKEN".to_owned(),
            kind: TokenKind::Installation,
        }),
        actions: Some(ActionsFacts {
            repository: "owner/source".to_owned(),
            workflow_file: Some(".github/workflows/release.yml".to_owned()),
            job: Some("publish".to_owned()),
            ..ActionsFacts::default()
        }),
        ..desk(TokenKind::Installation)
    }
}

/// A push in a workflow's job, some of whose facts are known.
pub(super) fn run(change: impl FnOnce(&mut ActionsFacts)) -> Context {
    let mut context = job();
    change(context.actions.get_or_insert_default());
    context
}

pub(super) fn codes(diagnosis: Option<&Diagnosis>) -> Vec<(&'static str, Likelihood)> {
    let causes = diagnosis.map(|diagnosis| diagnosis.causes.as_slice());
    causes
        .unwrap_or_default()
        .iter()
        .map(|cause| (cause.code.as_str(), cause.likelihood))
        .collect()
}
