//! Rate limits, whatever they are dressed as.
//!
//! GitHub's secondary limit comes as a 403 that begins with `permission_denied`
//! (<https://github.com/virtualcell/vcell/issues/1888>), the registry's own as a 429 with its advice in the
//! message (<https://github.com/fermyon/developer/issues/589>). No cure for a permission is ever offered
//! for these: whoever follows one changes settings that were right.

use oci_push::is_rate_limit;

use crate::case::Case;
use crate::context::Tool;
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};

/// What an intermediate service's answer begins with. It is the message of a Twirp client
/// (<https://github.com/twitchtv/twirp>) for an answer that is not Twirp's.
pub(super) const INTERMEDIATE: &str = "error from intermediary with http status code ";

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    if is_secondary(case) {
        let explanation = wait_for_secondary(case, Likelihood::Proven);
        return Diagnosis::of(SUMMARY, vec![explanation]);
    }
    if is_of_the_api(case) {
        return Diagnosis::of(
            "GitHub's API limit is spent, which is not a matter of permissions",
            vec![wait_for_reset(case)],
        );
    }
    if is_limit(case) {
        return Diagnosis::of("too many requests", vec![wait(case)]);
    }
    if is_rate_limit(None, &[], case.said()) {
        let explanation = wait_for_secondary(case, Likelihood::Proven);
        return Diagnosis::of(SUMMARY, vec![explanation]);
    }
    if is_asked_to_wait(case) {
        let explanation = wait_for_secondary(case, Likelihood::Likely);
        return Diagnosis::of(SUMMARY, vec![explanation]);
    }
    disguised(case)
}

const SUMMARY: &str = "this is a rate limit, not a matter of permissions";

/// GitHub's secondary limit by its own names.
fn is_secondary(case: &Case) -> bool {
    [
        "secondary rate limit",
        "abuse detection",
        "abuse rate limit",
    ]
    .iter()
    .any(|phrase| case.says(phrase))
}

/// A refusal that asks to come back later. Lacking permissions do not come with time, so that no other word counts.
fn is_asked_to_wait(case: &Case) -> bool {
    let evidence = &case.evidence;
    let is_denial = evidence.status.is_none() && case.is_denial();
    let status = if is_denial {
        Some(403)
    } else {
        evidence.status
    };
    is_rate_limit(status, &evidence.headers, case.said())
}

fn is_limit(case: &Case) -> bool {
    let phrases = [
        "toomanyrequests",
        "too many requests",
        "rate limit exceeded",
        "exceeded a rate limit",
        "with http status code 429",
        "resource_exhausted",
    ];
    case.evidence.status == Some(429)
        || phrases.iter().any(|phrase| case.says(phrase))
        || (case.says("allowed: ") && case.says("/minute"))
}

/// Whether it is the limit of GitHub's REST API, which is counted by the hour, rather than the registry's: by its words,
/// or by how it marks its answers
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
fn is_of_the_api(case: &Case) -> bool {
    let is_registrys = case.says("toomanyrequests") || case.says("/minute");
    let is_refusal = matches!(case.evidence.status, Some(403 | 429));
    let is_spent = case.evidence.header("x-ratelimit-remaining") == Some("0");
    case.says("api rate limit exceeded") || (is_refusal && is_spent && !is_registrys)
}

/// A 403 that another service of GitHub's gave to the registry, without saying why
/// (<https://github.com/docker/build-push-action/issues/463> collects such flakes).
fn disguised(case: &Case) -> Option<Diagnosis> {
    if !case.says(&format!("{INTERMEDIATE}403")) {
        return None;
    }
    let flake = Cause {
        code: Code::RegistryUnavailable,
        likelihood: Likelihood::Possible,
        why: "a service behind the registry failed for a moment".to_owned(),
        evidence: vec![
            "the words are those of one of GitHub's services about another, not a verdict on the token or \
             the package"
                .to_owned(),
        ],
        remedy: "Push again; if it stays for an hour, look at GitHub's status page.".to_owned(),
        url: Some(super::outage::STATUS_PAGE.to_owned()),
    };
    let limit = wait_for_secondary(case, Likelihood::Likely);
    Diagnosis::of(
        "the refusal comes from behind the registry, and says nothing of permissions",
        vec![limit, flake],
    )
}

pub(super) fn wait_for_secondary(case: &Case, likelihood: Likelihood) -> Cause {
    let mut evidence = case.basics();
    let advised = advised(case);
    if likelihood == Likelihood::Likely && case.context.limited_nearby == Some(true) {
        evidence.push("another request of the same log was refused for this limit".to_owned());
    }
    evidence.extend(advised.as_ref().map(|advised| {
        format!("the answer asks to wait {advised}, as a limit does; a permission does not come with time")
    }));
    Cause {
        code: Code::SecondaryRateLimit,
        likelihood,
        why: "GitHub limits bursts of requests of one user or App, and answers 403 while the limit holds. \
              Permissions are not the matter"
            .to_owned(),
        evidence,
        remedy: format!(
            "Wait {} and {}, then five; the limit ends by itself. {} Change no permission for this.",
            if advised.is_some() {
                "that long, at least two minutes,"
            } else {
                "two minutes"
            },
            case.again(),
            if case.evidence.is_pull {
                "Pull fewer images at once (in a matrix: `max-parallel: 1`)."
            } else {
                fewer_pushes(case)
            }
        ),
        url: None,
    }
}

fn wait(case: &Case) -> Cause {
    let advice = advised(case).map_or_else(String::new, |advised| {
        format!(
            " (The registry asks to wait {advised}; jobs at the same time share the limit, so that is mostly too short.)"
        )
    });
    Cause {
        code: Code::RateLimit,
        likelihood: Likelihood::Proven,
        why: match allowed(case) {
            Some(number) => {
                format!(
                    "the registry takes {number} requests in a minute from one client, and had more"
                )
            }
            None => "the registry limits the requests of a client, and had more".to_owned(),
        },
        evidence: case.basics(),
        remedy: format!(
            "Wait a minute and {}, with fewer jobs at a time{}.{advice}",
            case.again(),
            larger_requests(case)
        ),
        url: None,
    }
}

/// How to push less at a time; the options are this program's own.
fn fewer_pushes(case: &Case) -> &'static str {
    match case.context.tool {
        Tool::GhcrPush => {
            "Push fewer images at once (in a matrix: `max-parallel: 1`, here: `--jobs 1`)."
        }
        Tool::Another => "Push fewer images at once (in a matrix: `max-parallel: 1`).",
    }
}

/// How to push with fewer requests; the options are this program's own.
fn larger_requests(case: &Case) -> &'static str {
    match case.context.tool {
        _ if case.evidence.is_pull => "",
        Tool::GhcrPush => {
            " and fewer, larger requests (here: `--jobs 1`, and no small `--chunk-size`)"
        }
        Tool::Another => " (in a matrix: `max-parallel: 1`)",
    }
}

/// The number that the refusal names (`allowed: 2000/minute`), else that of pushes to ghcr.io. Of pulls there are more
/// (<https://github.com/dependabot/cli/issues/380>).
fn allowed(case: &Case) -> Option<&str> {
    let said = case.said().split_once("allowed: ");
    let number = said.and_then(|(_, after)| Some(after.split_once("/minute")?.0));
    let is_githubs = case.evidence.host.as_deref() == Some("ghcr.io") && !case.evidence.is_pull;
    number
        .filter(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
        .or(is_githubs.then_some("2000"))
}

/// The cause that the API's requests of an hour are spent.
fn wait_for_reset(case: &Case) -> Cause {
    let end = reset(case).map_or_else(
        || "until the hour is over that began with the first of them".to_owned(),
        |time| format!("until {time}, when the count begins anew"),
    );
    Cause {
        code: Code::RateLimit,
        likelihood: Likelihood::Proven,
        why: "GitHub's API takes a number of requests in an hour from one user, App or repository, and that is spent"
            .to_owned(),
        evidence: case.basics(),
        remedy: format!(
            "Wait {end}, and push again. All that uses the same token counts: other jobs, and tools that ask the API \
             often. Change no permission for this."
        ),
        url: None,
    }
}

/// The time of the day at which the limit ends, out of the seconds since 1970 in the API's header.
fn reset(case: &Case) -> Option<String> {
    let seconds: u64 = case
        .evidence
        .header("x-ratelimit-reset")?
        .trim()
        .parse()
        .ok()?;
    let minutes = seconds.div_ceil(60) % (24 * 60);
    Some(format!("{:02}:{:02} UTC", minutes / 60, minutes % 60))
}

/// The wait that the registry asks for: in a header, or in the message as a Go duration.
fn advised(case: &Case) -> Option<String> {
    if let Some(wait) = case.evidence.header("retry-after") {
        let wait = wait.trim();
        let is_number = wait.bytes().all(|byte| byte.is_ascii_digit());
        // It may be a date (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
        return (!wait.is_empty()).then(|| {
            if is_number {
                format!("{wait} s")
            } else {
                format!("until {wait}")
            }
        });
    }
    let (_, after) = case.said().split_once("retry-after: ")?;
    let advised: String = after
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | 'µ'))
        .take(24)
        .collect();
    let is_number = advised.bytes().all(|byte| byte.is_ascii_digit());
    let unit = if is_number { " s" } else { "" };
    (!advised.is_empty()).then(|| format!("{advised}{unit}"))
}
