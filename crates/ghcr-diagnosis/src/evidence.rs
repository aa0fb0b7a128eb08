//! What is known of a refusal itself, whoever met it: this engine, or another tool that left a log.

use crate::context::{Access, Client};
use oci_push::{Failure, RegistryError, Rejection, Step, UnansweredKind, ViolationKind};

/// The evidence of a failed request. Each unknown fact is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// What was asked.
    pub step: Option<Step>,
    /// The method of the request, in upper case.
    pub method: Option<String>,
    /// Who answered, or should have: host and, where it is given, port.
    pub host: Option<String>,
    /// The URL, without query values that are secrets.
    pub url: Option<String>,
    /// The reference that was pushed, as far as a log names it.
    pub reference: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The registry's errors. A log may name none of the codes, which are empty then.
    pub errors: Vec<RegistryError>,
    /// The body as text, where it held no registry errors.
    pub body: Option<String>,
    /// Headers that explain a refusal, by names in lower case.
    pub headers: Vec<(String, String)>,
    /// The handle by which GitHub's support finds the request.
    pub request_id: Option<String>,
    /// What happened instead of an answer that can be followed.
    pub trouble: Option<Trouble>,
    /// Whether the client said that it had no credential.
    pub anonymous: Option<bool>,
    /// How long the request had taken, in seconds.
    pub seconds: Option<u64>,
    /// The right to packages that the log shows the job's token had.
    pub granted: Option<Access>,
    /// Whether a log shows that it was a pull that was refused.
    pub is_pull: bool,
    /// The tool that was refused, as far as a log tells.
    pub client: Option<Client>,
    /// What a log shows was pushed afterwards, where that is the same: a repetition made the refusal good.
    pub pushed_later: Option<String>,
    /// What a log shows was pushed just before, where that is of the same repository: who was refused then can write
    /// there.
    pub pushed_before: Option<String>,
}

/// What came instead of an answer that can be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// The tool takes the reference for none, and asked nobody.
    InvalidReference {
        /// Whether upper case letters in its name are what is wrong with it.
        is_uppercase: bool,
    },
    /// The host's name has no address.
    Resolve,
    /// No connection came about.
    Connect,
    /// What listens there speaks no TLS.
    NotTls,
    /// The certificate that was shown is not trusted.
    Certificate,
    /// A proxy did not let the request through, or was not there.
    Proxy,
    /// The connection broke, or fell silent.
    Interrupted,
    /// The answer leads to another host than the registry's own.
    Elsewhere(String),
    /// The registry stored other bytes than were sent.
    DigestDiffers,
    /// The registry confirmed a blob that it does not have.
    BlobNotStored,
}

impl Evidence {
    /// The evidence that `failure` carries. A failure without a request, such as a damaged archive,
    /// carries none.
    #[must_use]
    pub fn of(failure: &Failure) -> Self {
        match failure.last() {
            Failure::Rejected(rejection) => Self::of_rejection(rejection),
            Failure::Unanswered(unanswered) => Self {
                step: Some(unanswered.step),
                method: Some(unanswered.method.to_string()),
                host: filled(&unanswered.host),
                url: filled(&unanswered.url),
                trouble: Some(match unanswered.kind {
                    UnansweredKind::Resolve(_) => Trouble::Resolve,
                    UnansweredKind::Connect(_) => Trouble::Connect,
                    UnansweredKind::NotTls(_) => Trouble::NotTls,
                    UnansweredKind::Certificate(_) => Trouble::Certificate,
                    _ => Trouble::Interrupted,
                }),
                ..Self::default()
            },
            Failure::Violation(violation) => Self {
                step: Some(violation.step),
                host: filled(&violation.host),
                url: filled(&violation.url),
                trouble: trouble_of(&violation.kind),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }

    fn of_rejection(rejection: &Rejection) -> Self {
        Self {
            step: Some(rejection.step),
            method: Some(rejection.method.to_string()),
            host: filled(&rejection.host),
            url: filled(&rejection.url),
            status: Some(rejection.status.as_u16()),
            errors: rejection.errors.clone(),
            body: rejection.body_excerpt.clone(),
            headers: rejection.headers.clone(),
            request_id: rejection.request_id.clone(),
            ..Self::default()
        }
    }

    /// All that the server said in words: the messages of its errors, else its body.
    #[must_use]
    pub fn words(&self) -> String {
        if self.errors.is_empty() {
            return self.body.as_deref().unwrap_or_default().trim().to_owned();
        }
        let messages: Vec<&str> = self.errors.iter().map(|e| e.message.as_str()).collect();
        messages.join("; ")
    }

    /// Whether the words are GitHub's own, which no other registry says. Plain words such as "denied" are everybody's.
    #[must_use]
    pub fn is_in_words_of_github(&self) -> bool {
        /// In lower case.
        const WORDS: [&str; 13] = [
            "permission_denied: ",
            "write_package",
            "create_package",
            "read_package",
            "installation not allowed to ",
            "requested installation does not exist",
            "does not match expected scopes",
            "saml enforcement",
            "ip allow list enabled",
            "secondary rate limit",
            "user cannot be authenticated with the token",
            "error from intermediary with http status code",
            "allowed: 2000/minute",
        ];
        let words = self.words().to_ascii_lowercase();
        WORDS.iter().any(|own| words.contains(own))
    }

    /// Whether one of the registry's errors has this code, however it is written.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        let mut errors = self.errors.iter();
        errors.any(|error| error.code.eq_ignore_ascii_case(code))
    }

    /// The value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(value)
    }
}

fn trouble_of(kind: &ViolationKind) -> Option<Trouble> {
    match kind {
        ViolationKind::RealmElsewhere(place)
        | ViolationKind::RedirectElsewhere(place)
        | ViolationKind::LocationElsewhere(place) => Some(Trouble::Elsewhere(place.clone())),
        ViolationKind::DigestDiffers { .. } => Some(Trouble::DigestDiffers),
        ViolationKind::BlobNotStored(_) => Some(Trouble::BlobNotStored),
        _ => None,
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
