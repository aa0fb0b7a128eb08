//! One failure as the rules see it: evidence and facts, all of them harmless to quote.

use crate::context::{Client, Context, CredentialFacts};
use crate::evidence::Evidence;
use crate::place::Place;
use crate::text::{Neutral as _, excerpt};

/// What stands for a registry's host that nothing is known of.
pub(crate) const UNKNOWN_HOST: &str = "REGISTRY";

/// A failure to be explained.
pub(crate) struct Case {
    pub(crate) evidence: Evidence,
    pub(crate) context: Context,
    /// Codes, messages and body in lower case, blanks made single, to look for phrases in.
    said: String,
}

impl Case {
    /// Takes evidence and context, and fills what the context lacks from the evidence.
    pub(crate) fn new(evidence: &Evidence, context: &Context) -> Self {
        let mut evidence = evidence.clone();
        let mut context = context.clone();
        evidence.neutralise();
        context.neutralise();
        locate(&evidence, &mut context);
        if let Some(granted) = evidence.granted {
            let actions = context.actions.get_or_insert_default();
            actions.granted.get_or_insert(granted);
        }
        let mut said = String::new();
        for error in &evidence.errors {
            for text in [&error.code, &error.message] {
                said.push_str(text);
                said.push(' ');
            }
        }
        said.push_str(evidence.body.as_deref().unwrap_or_default());
        // Line breaks are escapes by now, and may stand within a phrase.
        let said = said.replace("\\u{a}", " ").replace("\\u{d}", " ");
        let words: Vec<&str> = said.split_whitespace().collect();
        Self {
            said: words.join(" ").to_lowercase(),
            evidence,
            context,
        }
    }

    /// Whether the server said this, which is in lower case.
    pub(crate) fn says(&self, phrase: &str) -> bool {
        self.said.contains(phrase)
    }

    /// What the server said, in lower case.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Whether the server said nothing at all in words.
    pub(crate) fn is_silent(&self) -> bool {
        let errors = self.evidence.errors.iter();
        errors
            .into_iter()
            .all(|error| error.message.trim().is_empty())
            && self.evidence.words().is_empty()
    }

    /// Whether access was refused, as far as is known.
    pub(crate) fn is_denial(&self) -> bool {
        match self.evidence.status {
            Some(status) => matches!(status, 401 | 403),
            None => {
                self.evidence.has_code("DENIED")
                    || self.evidence.has_code("UNAUTHORIZED")
                    || self.says("permission_denied")
            }
        }
    }

    /// The registry's name, as it is to stand in a sentence.
    pub(crate) fn host(&self) -> &str {
        self.evidence.host.as_deref().unwrap_or("the registry")
    }

    /// The registry's host, to write references with.
    pub(crate) fn registry(&self) -> String {
        Place::of_reference(&self.context.reference)
            .map(|place| place.host)
            .or_else(|| self.evidence.host.clone())
            .unwrap_or_else(|| "ghcr.io".to_owned())
    }

    /// The registry's host, to log in to: what stands for it if it is not known.
    pub(crate) fn login_host(&self) -> &str {
        let is_githubs =
            self.evidence.is_in_words_of_github() || self.context.reference.starts_with("ghcr.io/");
        match self.evidence.host.as_deref() {
            Some(host) => host,
            None if is_githubs => "ghcr.io",
            None => UNKNOWN_HOST,
        }
    }

    /// How the tool that was refused is logged in, as the rest of a sentence that asks for it.
    pub(crate) fn login(&self) -> String {
        let host = self.login_host();
        self.evidence.client.map_or_else(
            || {
                format!(
                    "log in with `docker login {host}`, or the like of the tool that was refused"
                )
            },
            |client| client.login(host),
        )
    }

    /// How the tool that was refused is logged out, likewise.
    pub(crate) fn logout(&self) -> String {
        let host = self.login_host();
        let client = self.evidence.client.unwrap_or(Client::Docker);
        client.logout(host)
    }

    /// What is to be done once more.
    pub(crate) fn again(&self) -> &'static str {
        if self.evidence.is_pull {
            "pull again"
        } else {
            "push again"
        }
    }

    /// What the server said, as evidence.
    pub(crate) fn words(&self) -> String {
        let words = self.evidence.words();
        let host = self.host();
        match (words.as_str(), self.evidence.status) {
            ("", None) if self.was_not_asked() => {
                format!("{host} was not asked: nobody may push to it without a credential")
            }
            ("", Some(status)) => format!("{host} answered {} without a word", phrase_of(status)),
            ("", None) => match self.evidence.errors.first() {
                Some(error) if !error.code.is_empty() => {
                    format!("{host} said {}, and nothing more", error.code)
                }
                _ => format!("{host} gave no answer that could be read"),
            },
            (words, _) => format!("{host} said: {}", excerpt(words)),
        }
    }

    /// Whether it is not a refusal at all, but that there was nothing to ask with.
    fn was_not_asked(&self) -> bool {
        let evidence = &self.evidence;
        evidence.anonymous == Some(true)
            && evidence.step.is_none()
            && evidence.url.is_none()
            && evidence.trouble.is_none()
    }

    /// The credential, as evidence.
    pub(crate) fn credential(&self) -> Option<String> {
        let credential = self.context.credential.facts()?;
        Some(format!(
            "the credential came from {}",
            described(credential)
        ))
    }

    /// What the server said, unless nothing was asked of it.
    pub(crate) fn answer(&self) -> Option<String> {
        let evidence = &self.evidence;
        let was_asked = evidence.step.is_some()
            || evidence.url.is_some()
            || evidence.status.is_some()
            || evidence.body.is_some()
            || evidence.trouble.is_some()
            || !evidence.errors.is_empty();
        was_asked.then(|| self.words())
    }

    /// The words and the credential, the evidence of nearly everything.
    pub(crate) fn basics(&self) -> Vec<String> {
        self.answer().into_iter().chain(self.credential()).collect()
    }
}

/// A credential in words.
pub(crate) fn described(credential: &CredentialFacts) -> String {
    format!("{} ({})", credential.source, credential.kind.describe())
}

/// A status with its name.
fn phrase_of(status: u16) -> String {
    let name = match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        413 => "Payload Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => return status.to_string(),
    };
    format!("{status} {name}")
}

/// Fills owner, package and site from the reference or URL of the evidence, where the context has none.
fn locate(evidence: &Evidence, context: &mut Context) {
    let reference = evidence.reference.as_deref();
    let place = reference
        .and_then(Place::of_reference)
        .or_else(|| Place::of_reference(&context.reference))
        .or_else(|| evidence.url.as_deref().and_then(Place::of_url));
    if let Some(place) = &place
        && context.owner.is_empty()
        && context.package.is_empty()
    {
        let (owner, package) = place.owner_and_package();
        context.owner = owner.to_owned();
        context.package = package.to_owned();
    }
    if context.reference.is_empty() {
        context.reference = evidence.reference.clone().unwrap_or_default();
    }
    if context.web_host.is_empty() {
        let host = place.map(|place| place.host).or(evidence.host.clone());
        // A registry of GitHub Enterprise is a subdomain of its site
        // (https://docs.github.com/en/enterprise-cloud@latest/packages/working-with-a-github-packages-registry/working-with-the-container-registry).
        context.web_host = host
            .as_deref()
            .and_then(|host| host.strip_prefix("containers."))
            .unwrap_or("github.com")
            .to_owned();
    }
}
