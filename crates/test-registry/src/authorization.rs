//! Who may do what: credentials, the token service, and scripted refusals.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header;

use crate::answer::{self, Answer};
use crate::options::Authentication;
use crate::route::Route;
use crate::server::Call;
use crate::tokens::{self, Scope, Standing};

impl Call<'_> {
    /// The refusal of a request without sufficient authorization.
    pub(crate) fn unauthorized(&self) -> Option<Answer> {
        // The token service asks for no token, whatever the method.
        let is_of_service =
            self.target.route == Route::WrongMethod && self.target.repository.is_empty();
        if self.target.route == Route::Token || is_of_service {
            return None;
        }
        let header = self
            .header(header::AUTHORIZATION.as_str())
            .unwrap_or_default();
        match &self.shared.options.authentication {
            Authentication::None => None,
            Authentication::Basic { username, password } => {
                let good = header.strip_prefix("Basic ") == Some(&basic(username, password));
                let challenge = [("www-authenticate", "Basic realm=\"test registry\"")];
                (!good).then(|| self.challenge(&challenge))
            }
            Authentication::Bearer { .. } => {
                let token = header.strip_prefix("Bearer ").unwrap_or_default();
                let needed = self.needed_scopes();
                let error = match self.shared.tokens.check(token, &needed) {
                    Standing::Good => return None,
                    Standing::OutOfScope => ",error=\"insufficient_scope\"",
                    Standing::Invalid => ",error=\"invalid_token\"",
                    Standing::Unknown => "",
                };
                let host = self.host();
                let hint = self.hint(&needed);
                let scheme = if self.shared.options.is_behind_tls {
                    "https"
                } else {
                    "http"
                };
                let challenge = format!(
                    "Bearer realm=\"{scheme}://{host}/token\",service=\"{host}\",scope=\"{hint}\"{error}"
                );
                Some(self.challenge(&[("www-authenticate", &challenge)]))
            }
        }
    }

    /// What a token must be good for. Whoever mounts a blob must be allowed to read it where it is, as with
    /// Distribution (<https://github.com/distribution/distribution/blob/v2.8.2/registry/handlers/app.go>).
    fn needed_scopes(&self) -> Vec<Scope> {
        let repository = &self.target.repository;
        if repository.is_empty() {
            return Vec::new();
        }
        let mut needed = vec![Scope {
            repository: repository.clone(),
            pull: true,
            push: self.target.route.is_mutating(),
        }];
        if let (Route::UploadMount, Some(from)) = (self.target.route, self.parameter("from")) {
            needed.push(Scope {
                repository: from.to_owned(),
                pull: true,
                push: false,
            });
        }
        needed
    }

    /// What the challenge says is needed.
    fn hint(&self, needed: &[Scope]) -> String {
        if needed.is_empty() {
            return "repository:user/image:pull".to_owned();
        }
        let scopes = needed.iter().map(|scope| {
            let actions = if scope.push && self.shared.behavior.hints_scope {
                "pull,push"
            } else {
                "pull"
            };
            format!("repository:{}:{actions}", scope.repository)
        });
        scopes.collect::<Vec<_>>().join(" ")
    }

    fn challenge(&self, headers: &[(&str, &str)]) -> Answer {
        let mut answer = answer::error(401, "UNAUTHORIZED", "authentication required");
        for (name, value) in headers {
            answer::set(&mut answer, name, value);
        }
        self.without_body_for_head(answer)
    }

    /// The scripted refusal of a repository, or that of an impossible name.
    pub(crate) fn denied(&self) -> Option<Answer> {
        let repository = &self.target.repository;
        if self.shared.behavior.needs_owner && !repository.is_empty() && !repository.contains('/') {
            let answer = answer::error(400, "NAME_INVALID", "invalid repository name");
            return Some(self.without_body_for_head(answer));
        }
        let refusal = self.shared.refusal(repository)?;
        if !self.target.route.is_mutating() && !refusal.hides() {
            return None;
        }
        let (status, code, message) = refusal.answer();
        Some(self.without_body_for_head(answer::error(status, code, message)))
    }

    fn without_body_for_head(&self, answer: Answer) -> Answer {
        if matches!(self.target.route, Route::BlobHead | Route::ManifestHead) {
            return answer.map(|_| Body::empty());
        }
        answer
    }

    /// The token service.
    pub(crate) fn token(&self) -> Answer {
        let Authentication::Bearer {
            username,
            password,
            lifetime,
        } = &self.shared.options.authentication
        else {
            return answer::error(404, "UNSUPPORTED", "there is no token service");
        };
        let scopes = tokens::scopes(&self.query);
        let wants_push = scopes.iter().any(|scope| scope.push);
        let given = self.header(header::AUTHORIZATION.as_str());
        let good = given.and_then(|given| given.strip_prefix("Basic "))
            == Some(&basic(username, password));
        if (given.is_some() && !good) || (given.is_none() && wants_push) {
            let (status, code, message) = self.shared.behavior.bad_credential;
            return answer::error(status, code, message);
        }
        let token = self.shared.tokens.issue(scopes, *lifetime);
        let mut body = serde_json::json!({ "token": token });
        if self.shared.behavior.announces_expiry {
            body["expires_in"] = lifetime.map_or(300, |lifetime| lifetime.as_secs()).into();
        }
        answer::with_body(
            200,
            &[("content-type", "application/json")],
            body.to_string(),
        )
    }
}

fn basic(username: &str, password: &str) -> String {
    BASE64.encode(format!("{username}:{password}"))
}
