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
    /// Repositories and whether they may be written to.
    scopes: Vec<(String, bool)>,
    expires: Option<Instant>,
    revoked: bool,
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// For what was asked.
    Good { generation: u64 },
    /// It was issued here, but not for that.
    OutOfScope { generation: u64 },
    /// It was never issued, has expired or was revoked.
    Invalid { generation: Option<u64> },
}

impl Tokens {
    /// Issues a token: opaque, as ghcr.io's are.
    pub(crate) fn issue(&self, scopes: Vec<(String, bool)>, lifetime: Option<Duration>) -> String {
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

    /// What `value` is good for.
    pub(crate) fn check(&self, value: &str, repository: &str, writing: bool) -> Standing {
        let tokens = self.lock();
        let Some(position) = tokens.iter().position(|token| token.value == value) else {
            return Standing::Invalid { generation: None };
        };
        let token = &tokens[position];
        let generation = position as u64 + 1;
        let expired = token
            .expires
            .is_some_and(|expires| Instant::now() >= expires);
        if token.revoked || expired {
            return Standing::Invalid {
                generation: Some(generation),
            };
        }
        let in_scope = repository.is_empty()
            || token
                .scopes
                .iter()
                .any(|(scope, may_write)| scope == repository && (*may_write || !writing));
        if in_scope {
            Standing::Good { generation }
        } else {
            Standing::OutOfScope { generation }
        }
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
pub(crate) fn scopes(query: &[(String, String)]) -> Vec<(String, bool)> {
    query
        .iter()
        .filter(|(name, _)| name == "scope")
        .flat_map(|(_, value)| value.split(' '))
        .filter_map(|scope| {
            let (repository, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
            let may_write = actions.split(',').any(|action| action == "push");
            Some((repository.to_owned(), may_write))
        })
        .collect()
}
