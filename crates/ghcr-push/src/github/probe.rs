//! What GitHub's REST API tells about a refusal: whose the namespace is, what the package is linked to, what the token
//! may do.
//!
//! At most four questions, one after the other, each depending on what the one before it told. Whatever is not answered
//! is not known: it costs certainty and nothing else. A refused credential is not shown twice, since GitHub locks out
//! those who try many (<https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api#failed-login-limit>).

mod answers;
mod moment;

use std::sync::Arc;
use std::time::SystemTime;

use ghcr_diagnosis::{OwnerKind, PackageFacts, TokenFacts, TokenKind};
use oci_push::internals::{HttpTransport, Tally};
use oci_push::{HttpSettings, TlsSettings};
use secrecy::SecretString;

use answers::Answer;

/// More would be noticed, and counted against whoever asks.
const MOST: usize = 4;

/// What is asked about.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// The API's address, without a slash at its end.
    pub(crate) api: String,
    pub(crate) owner: String,
    pub(crate) package: String,
    pub(crate) owner_kind: Option<OwnerKind>,
    pub(crate) kind: TokenKind,
    /// The registry's credential.
    pub(crate) token: Option<SecretString>,
    /// `owner/name` of the repository whose workflow runs.
    pub(crate) run: Option<String>,
    /// The time that it is.
    pub(crate) now: SystemTime,
}

/// What was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) token: TokenFacts,
    pub(crate) package: PackageFacts,
    pub(crate) owner_kind: Option<OwnerKind>,
    pub(crate) owner_exists: Option<bool>,
    /// Whether the token is the run's own `GITHUB_TOKEN`.
    pub(crate) token_is_own: Option<bool>,
    /// What was asked and answered, a line each.
    pub(crate) account: Vec<String>,
}

/// Asks. `authorities` are trusted beside the machine's own, as for the registry.
pub(crate) fn ask(question: &Question, authorities: Option<Vec<u8>>) -> Told {
    let mut settings = HttpSettings::default();
    settings.user_agent = concat!("ghcr-push/", env!("CARGO_PKG_VERSION")).to_owned();
    settings.tls = TlsSettings::default();
    settings.tls.authorities = authorities;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let transport = HttpTransport::new(&settings, Arc::new(Tally::default()));
    let (Ok(runtime), Ok(transport)) = (runtime, transport) else {
        return Told::default();
    };
    let mut inquiry = Inquiry {
        question,
        transport,
        asked: 0,
        is_over: false,
        has_good_token: question.token.is_some() && is_for_the_api(question.kind),
        told: Told {
            owner_kind: question.owner_kind,
            ..Told::default()
        },
    };
    runtime.block_on(inquiry.run());
    inquiry.told
}

/// Whether a credential of this kind means anything to the API. What is no token of GitHub's is not shown to it.
fn is_for_the_api(kind: TokenKind) -> bool {
    !matches!(kind, TokenKind::Unknown | TokenKind::Refresh)
}

struct Inquiry<'a> {
    question: &'a Question,
    transport: HttpTransport,
    asked: usize,
    /// Nothing more is asked: there is no answer to be had.
    is_over: bool,
    has_good_token: bool,
    told: Told,
}

impl Inquiry<'_> {
    async fn run(&mut self) {
        let kind = self.question.kind;
        let is_personal = is_for_the_api(kind) && kind != TokenKind::Installation;
        if is_personal && self.has_good_token {
            self.user().await;
        }
        if self.told.owner_kind.is_none() {
            self.owner().await;
        }
        // The token's own death may have been found out by that question.
        if self.told.owner_kind.is_none() && self.told.token.accepted == Some(false) {
            self.owner().await;
        }
        // https://docs.github.com/en/rest/authentication/endpoints-available-for-fine-grained-personal-access-tokens
        // has no packages.
        if self.has_good_token && kind != TokenKind::FineGrainedPersonal {
            self.package().await;
        }
        if self.has_good_token && kind == TokenKind::Installation {
            self.repositories().await;
        }
    }

    /// Who the token stands for, and with which scopes.
    async fn user(&mut self) {
        let Some(answer) = self.get("/user").await else {
            return;
        };
        let login = answers::login(&answer);
        if let Some(login) = &login
            && login.eq_ignore_ascii_case(&self.question.owner)
        {
            self.told.owner_kind = Some(OwnerKind::User);
            self.told.owner_exists = Some(true);
        }
        let shown = login.as_deref().map(|login| format!("the user {login}"));
        self.told.token.login = login;
        self.note("/user", &answer, shown);
    }

    /// What kind of account the owner is.
    async fn owner(&mut self) {
        let path = format!("/users/{}", self.question.owner);
        let Some(answer) = self.get(&path).await else {
            return;
        };
        self.told.owner_kind = answers::owner_kind(&answer);
        self.told.owner_exists = match answer.status {
            200 => Some(true),
            404 => Some(false),
            _ => None,
        };
        let shown = self.told.owner_kind.map(|kind| match kind {
            OwnerKind::Organization => "an organization".to_owned(),
            OwnerKind::User => "a user".to_owned(),
        });
        self.note(&path, &answer, shown);
    }

    /// Whether the package can be seen, and what it is linked to.
    async fn package(&mut self) {
        let Some(kind) = self.told.owner_kind else {
            return;
        };
        let package = self.question.package.replace('/', "%2F");
        let login = self.told.token.login.as_deref();
        let is_own = login.is_some_and(|login| login.eq_ignore_ascii_case(&self.question.owner));
        let owner = &self.question.owner;
        let path = match kind {
            OwnerKind::Organization => format!("/orgs/{owner}/packages/container/{package}"),
            OwnerKind::User if is_own => format!("/user/packages/container/{package}"),
            OwnerKind::User => format!("/users/{owner}/packages/container/{package}"),
        };
        let Some(answer) = self.get(&path).await else {
            return;
        };
        self.told.package = answers::package(&answer);
        if self.question.kind == TokenKind::Installation {
            self.told.token.reads_packages = answers::reads_packages(&answer);
        }
        let shown = answers::described(&self.told.package);
        self.note(&path, &answer, shown);
    }

    /// Which repositories an installation token is for. `GITHUB_TOKEN` is for the run's own, and for at most a thousand
    /// requests in an hour, where other Apps have five thousand
    /// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
    async fn repositories(&mut self) {
        let path = "/installation/repositories?per_page=100";
        let Some(answer) = self.get(path).await else {
            return;
        };
        let repositories = answers::repositories(&answer);
        let shown = repositories.as_ref().map(|names| match names.as_slice() {
            [only] => only.clone(),
            names => format!("{} repositories", names.len()),
        });
        if let (Some([only]), Some(run)) = (repositories.as_deref(), &self.question.run)
            && only.eq_ignore_ascii_case(run)
            && answer.header("x-ratelimit-limit") == Some("1000")
        {
            self.told.token_is_own = Some(true);
        }
        self.told.token.repositories = repositories;
        self.note(path, &answer, shown);
    }

    /// Asks once, with the token as long as that is good, and takes from the answer what every answer tells of it.
    async fn get(&mut self, path: &str) -> Option<Answer> {
        if self.is_over || self.asked == MOST {
            return None;
        }
        self.asked += 1;
        let url = format!("{}{path}", self.question.api);
        let token = self.question.token.as_ref().filter(|_| self.has_good_token);
        let with_token = token.is_some();
        let answer = match self.transport.ask(&url, token).await {
            Ok(response) => Answer::of(&response),
            Err(kind) => {
                // Who does not answer once would only keep the user waiting.
                self.is_over = true;
                self.tell(format!("asked {url}, without an answer: {kind}"));
                return None;
            }
        };
        if with_token {
            let (kind, now) = (self.question.kind, self.question.now);
            answers::of_token(&answer, kind, now, &mut self.told.token);
            self.has_good_token = self.told.token.accepted != Some(false);
        }
        if answer.is_limit() {
            self.is_over = true;
        }
        Some(answer)
    }

    fn note(&mut self, path: &str, answer: &Answer, shown: Option<String>) {
        let shown = shown.map_or_else(String::new, |shown| format!(": {shown}"));
        let (api, status) = (&self.question.api, answer.status);
        self.tell(format!("asked {api}{path}, which answered {status}{shown}"));
    }

    fn tell(&mut self, line: String) {
        tracing::debug!("{line}");
        self.told.account.push(line);
    }
}
