//! Connections that are used again, and what a registry makes of that.
//!
//! A server may close a connection that carries nothing at any time, also while the next request is on its way
//! (<https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1>). That request was not answered because nobody read it,
//! and may be sent again at once if it can do no harm (<https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2>).

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper_util::client::legacy::connect::HttpInfo;

use super::classify;

/// Connections of one host that may break like that before none is used again. All that are idle may be closed at
/// the same moment.
const BROKEN: u32 = 8;

/// What is known of the connections of a run.
#[derive(Debug, Default)]
pub(super) struct Connections {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Their own ends, of those that have carried an answer.
    used: HashSet<SocketAddr>,
    /// How many have broken on being used again, for each host, since any was used again well.
    broken: HashMap<String, u32>,
}

impl Connections {
    /// Takes note of an answer from `host`.
    pub(super) fn answered(&self, host: &str, response: &reqwest::Response) {
        let Some(own) = response
            .extensions()
            .get::<HttpInfo>()
            .map(HttpInfo::local_addr)
        else {
            return;
        };
        let mut state = self.state();
        if !state.used.insert(own) {
            state.broken.remove(host);
        }
    }

    /// Whether `error` ended a connection to `host` that had carried an answer before.
    pub(super) fn was_used(&self, host: &str, error: &reqwest::Error) -> bool {
        let mut state = self.state();
        let was_used =
            classify::connection(error).is_some_and(|info| state.used.remove(&info.local_addr()));
        if was_used {
            *state.broken.entry(host.to_owned()).or_default() += 1;
        }
        was_used
    }

    /// Whether a request to `host` is to have a connection of its own. What cannot be sent again just like that gets
    /// one sooner.
    pub(super) fn are_single(&self, host: &str, is_replayable: bool) -> bool {
        let most = if is_replayable { BROKEN } else { 1 };
        self.state()
            .broken
            .get(host)
            .is_some_and(|broken| *broken >= most)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
