//! Bearer tokens: issued, checked, revoked.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The tokens issued so far.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<Vec<Token>>);

#[derive(Debug, Clone)]
struct Token {
    value: String,
    scopes: Vec<Scope>,
    expires: Option<Instant>,
    revoked: bool,
}

/// What may be done, or is to be done, in one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) repository: String,
    pub(crate) pull: bool,
    pub(crate) push: bool,
}

impl Scope {
    fn covers(&self, needed: &Self) -> bool {
        self.repository == needed.repository
            && (self.pull || !needed.pull)
            && (self.push || !needed.push)
    }
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// For what was asked.
    Good,
    /// It was issued here, but not for that.
    OutOfScope,
    /// It was issued here, and has expired or was revoked.
    Invalid,
    /// It was not issued here.
    Unknown,
}

impl Tokens {
    /// Issues a token: opaque, as ghcr.io's are.
    pub(crate) fn issue(&self, scopes: Vec<Scope>, lifetime: Option<Duration>) -> String {
        let mut tokens = self.lock();
        let value = BASE64.encode(format!("v1:issued-token:{:08}", tokens.len() + 1));
        tokens.push(Token {
            value: value.clone(),
            scopes,
            expires: lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime)),
            revoked: false,
        });
        value
    }

    /// Whether `value` is good for all that is needed.
    pub(crate) fn check(&self, value: &str, needed: &[Scope]) -> Standing {
        let tokens = self.lock();
        let Some(token) = tokens.iter().find(|token| token.value == value) else {
            return Standing::Unknown;
        };
        let expired = token
            .expires
            .is_some_and(|expires| Instant::now() >= expires);
        let is_covered = |needed| token.scopes.iter().any(|scope| scope.covers(needed));
        if token.revoked || expired {
            Standing::Invalid
        } else if needed.iter().all(is_covered) {
            Standing::Good
        } else {
            Standing::OutOfScope
        }
    }

    /// The how manieth token `value` is, counted from 1; `None` if it was not issued here.
    pub(crate) fn generation(&self, value: &str) -> Option<u64> {
        let tokens = self.lock();
        let position = tokens.iter().position(|token| token.value == value)?;
        Some(position as u64 + 1)
    }

    pub(crate) fn revoke_all(&self) {
        for token in self.lock().iter_mut() {
            token.revoked = true;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Token>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the scopes of a token request: `repository:NAME:ACTIONS`, where names may hold colons only in
/// front of a port, and so do not here.
pub(crate) fn scopes(query: &[(String, String)]) -> Vec<Scope> {
    query
        .iter()
        .filter(|(name, _)| name == "scope")
        .flat_map(|(_, value)| value.split(' '))
        .filter_map(|scope| {
            let (repository, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
            let may = |wanted| actions.split(',').any(|action| action == wanted);
            Some(Scope {
                repository: repository.to_owned(),
                pull: may("pull"),
                push: may("push"),
            })
        })
        .collect()
}
