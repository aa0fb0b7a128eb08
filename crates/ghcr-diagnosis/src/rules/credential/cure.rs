//! How a credential is given to what pushes.

use crate::case::Case;
use crate::context::{Client, Tool};

/// What gives the tool a credential for `host`.
pub(super) fn of(case: &Case, host: &str) -> String {
    let context = &case.context;
    if let Some(source) = context.forced_source.as_deref() {
        let block = if source == "GITHUB_TOKEN" && has_jobs_token(case, host) {
            format!(" In a workflow, add to the step:\n\n{VARIABLE}")
        } else {
            String::new()
        };
        return format!(
            "`--credential-source` takes {source} and nothing else: put the credential there, or leave the option out.{block}"
        );
    }
    match context.tool {
        // A run has a token of its own, which nobody needs to make.
        Tool::GhcrPush if is_for_the_jobs(case, host) => format!(
            "Give the step the job's token:\n\n{VARIABLE}\n\nThe job needs `packages: write` in its `permissions:`. \
             Another credential is given as GHCR_PUSH_TOKEN, or by a login before the step."
        ),
        Tool::GhcrPush => {
            let mut cure = format!("Set GHCR_PUSH_TOKEN, or log in with `docker login {host}`.");
            if has_jobs_token(case, host) {
                cure.push_str(" In a workflow, add to the step:\n\n");
                cure.push_str(VARIABLE);
            }
            cure
        }
        Tool::Another => {
            let login = case.login();
            if has_jobs_token(case, host) && case.evidence.client != Some(Client::Kubelet) {
                format!(
                    "Log in before the step that pushes. In a workflow:\n\n    \
                     - uses: docker/login-action@v4\n      with:\n        registry: {host}\n        \
                     username: ${{{{ github.actor }}}}\n        password: ${{{{ secrets.GITHUB_TOKEN }}}}\n\n\
                     Elsewhere, {login}."
                )
            } else {
                format!("Before the push, {login}.")
            }
        }
    }
}

/// The lines that give this program the job's token.
const VARIABLE: &str = "    env:\n      GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}";

/// Whether what runs is a workflow's job, whose token is one for this registry.
pub(super) fn is_for_the_jobs(case: &Case, host: &str) -> bool {
    case.context.actions.is_some()
        && case.context.tool == Tool::GhcrPush
        && has_jobs_token(case, host)
}

/// Whether the token of a workflow's job is one for this registry: it is GitHub's, and of the same site.
fn has_jobs_token(case: &Case, host: &str) -> bool {
    let context = &case.context;
    let site = context.actions.as_ref().and_then(|run| run.site.as_deref());
    is_of_github(host) && site.is_none_or(|site| site.eq_ignore_ascii_case(&context.web_host))
}

/// Whether a registry is one of GitHub's, so that GitHub's tokens mean anything to it.
pub(super) fn is_of_github(host: &str) -> bool {
    let host = host.strip_suffix(":443").unwrap_or(host);
    host == "ghcr.io" || host.starts_with("containers.")
}
