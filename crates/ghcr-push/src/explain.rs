//! From the engine's failure to what the user is told.

pub(crate) mod log;
mod place;
pub(crate) mod situation;

use std::time::SystemTime;

use ghcr_diagnosis::{Context, Evidence, TokenKind, diagnose};
use oci_archive::Content;
use oci_push::{Failure, Profile, PushReport, Reference, ReferenceStatus, UnansweredKind};

use crate::args::Arguments;
use crate::content;
use crate::env::Environment;
use crate::error::{CliError, Kind, is_proxys, kind_of};
use crate::github::{self, Question};
use crate::keychain::Found;
use crate::quantity::display_duration;
use crate::reference::is_same_repository;
use crate::{proxy, settings, tls};
pub(crate) use place::Place;

/// What was tried, and with what.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) environment: &'a Environment,
    pub(crate) credentials: &'a Found,
    /// The image, where there is one.
    pub(crate) content: Option<&'a Content>,
}

impl Attempt<'_> {
    /// Turns the failure of a push, or of a dry run, into what the user is told.
    pub(crate) fn explain_push(&self, report: &PushReport, failure: Failure) -> CliError {
        let is_dry = self.arguments.dry_run;
        match failed(report, &failure) {
            Some(reference) => {
                let message = if matches!(failure, Failure::Unverified { .. }) {
                    format!("{reference} is published, but could not be verified")
                } else if !is_dry {
                    format!("failed to push {reference}")
                } else if kind_of(&failure) == Kind::Unavailable {
                    // A push later may fare better.
                    format!("what a push to {reference} would do cannot be found out")
                } else {
                    format!("a push to {reference} would fail")
                };
                self.explain_after(message, reference, failure, Some(report))
            }
            None if is_dry => {
                CliError::of_failure("what a push would do cannot be found out", failure)
            }
            None => CliError::of_failure("the push failed", failure),
        }
    }

    /// Turns a failure at `reference` into what the user is told, `message` first.
    pub(crate) fn explain(
        &self,
        message: String,
        reference: &Reference,
        failure: Failure,
    ) -> CliError {
        self.explain_after(message, reference, failure, None)
    }

    fn explain_after(
        &self,
        message: String,
        reference: &Reference,
        failure: Failure,
        report: Option<&PushReport>,
    ) -> CliError {
        let host = reference.resolve_registry();
        let facts = self.credentials.of(reference).map(|found| &found.facts);
        if settings::profile_of(self.arguments, reference) == Profile::Ghcr {
            let mut context = self.context(reference);
            if let Some(report) = report {
                situation::recall(&mut context, report, reference);
            }
            let evidence = Evidence::of(&failure);
            let mut error = self.told(message, failure);
            // What is no matter of permission is not made one by more questions.
            if error.kind == Kind::Authorization {
                self.probe(&mut context, reference);
            }
            let diagnosis = diagnose(&evidence, &context);
            error.place = Place::of(&context, diagnosis.as_ref()).map(Box::new);
            error.diagnosis = diagnosis.map(Box::new);
            return error;
        }
        let mut error = self.told(message, failure);
        if error.kind == Kind::Authorization && error.hint.is_none() {
            error.hint = Some(match facts {
                Some(facts) => format!(
                    "the credential came from {} ({}); check that it is the right one for {host}",
                    facts.source,
                    facts.kind.describe()
                ),
                None => format!(
                    "no credential for {host} was found; give one with --username and --password-stdin, \
                     GHCR_PUSH_TOKEN, or docker login {host}"
                ),
            });
        }
        error
    }

    /// A failure without a diagnosis. Where nobody was reached, the proxy is named that stood between; where a limit was
    /// not waited for, it is said that there was no time.
    fn told(&self, message: String, failure: Failure) -> CliError {
        let proxy = self.proxy_between(&failure);
        let too_long = self.too_long(&failure);
        let mut error = CliError::of_failure(message, failure);
        error.causes.extend(too_long);
        if let Some((host, proxy)) = proxy {
            error.hint = Some(format!(
                "requests to {host} go through the proxy of {proxy}: look whether it is right, can be reached and lets \
                 them pass, or leave it out with NO_PROXY={host}"
            ));
        }
        error
    }

    /// That waiting for a limit would have taken longer than it may, if it would.
    fn too_long(&self, failure: &Failure) -> Option<String> {
        let transfer = &self.arguments.transfer;
        let allowed = transfer.retry_max_time;
        let wait = failure.rejection()?.wait_for_limit()?;
        // Who wants a single try has no use for time.
        (wait > allowed && transfer.retry != Some(1)).then(|| {
            format!(
                "the next try was due after {}, and --retry-max-time allows {}",
                display_duration(wait),
                display_duration(allowed)
            )
        })
    }

    /// The name of the host that was not reached, and the proxy that the request went through. A proxy that wants a
    /// credential is another matter, and has a hint of its own.
    fn proxy_between(&self, failure: &Failure) -> Option<(String, String)> {
        let Failure::Unanswered(unanswered) = failure.last() else {
            return None;
        };
        let is_unreached = match unanswered.kind {
            UnansweredKind::Resolve(_) | UnansweredKind::Connect(_) => !is_proxys(failure),
            // Other registries may have no TLS.
            UnansweredKind::NotTls(_) => Profile::of_host(&unanswered.host) == Profile::Ghcr,
            _ => false,
        };
        let proxy = proxy::of(&unanswered.url, self.environment).filter(|_| is_unreached)?;
        let host = unanswered.host.as_str();
        let (name, _) = host
            .rsplit_once(':')
            .filter(|(_, port)| !port.ends_with(']'))
            .unwrap_or((host, ""));
        let name = name.trim_matches(['[', ']']).to_owned();
        Some((name, proxy))
    }

    /// Adds to the context what GitHub's REST API tells, if it may be asked.
    fn probe(&self, context: &mut Context, reference: &Reference) {
        let host = reference.resolve_registry();
        let options = &self.arguments.github;
        let api = github::api(host, options.api_url.as_deref(), self.environment);
        let Some(api) = api.filter(|_| !options.no_probe) else {
            return;
        };
        let found = self.credentials.of(reference);
        let question = Question {
            api,
            owner: context.owner.clone(),
            package: context.package.clone(),
            owner_kind: context.owner_kind,
            kind: found.map_or(TokenKind::Unknown, |found| found.facts.kind),
            token: found.map(|found| found.credentials.password.clone()),
            run: context.actions.as_ref().map(|run| run.repository.clone()),
            now: SystemTime::now(),
        };
        let authorities = tls::read(self.arguments)
            .ok()
            .and_then(|tls| tls.authorities);
        situation::add(context, github::ask(&question, authorities));
    }

    fn context(&self, reference: &Reference) -> Context {
        let mut context = situation::context(reference, self.environment);
        self.credentials.tell(reference, &mut context);
        let scheme = if self.arguments.plain_http {
            "http"
        } else {
            "https"
        };
        let url = format!("{scheme}://{}/", reference.resolve_registry());
        context
            .proxy_variables
            .extend(proxy::of(&url, self.environment));
        context.largest_layer = self.content.and_then(content::largest_layer);
        context
    }
}

/// The reference at which a push failed: the one that the failure names, else the first that failed of its repository.
/// That is the first one with any, since repositories are pushed to in the order in which they are first named.
pub(crate) fn failed<'a>(report: &'a PushReport, failure: &Failure) -> Option<&'a Reference> {
    let all = || report.references.iter();
    let found = if let Failure::NotPublished { reference, .. }
    | Failure::Unverified { reference, .. }
    | Failure::Exists { reference, .. } = failure
    {
        all().find(|entry| entry.reference.to_string() == *reference)
    } else {
        all().find_map(|first| {
            all()
                .filter(|entry| is_same_repository(&entry.reference, &first.reference))
                .find(|entry| entry.status == ReferenceStatus::Failed)
        })
    };
    Some(&found?.reference)
}
