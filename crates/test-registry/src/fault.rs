//! Faults as data: where a request goes wrong, and how.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::connection::Ending;
use crate::route::Route;
use crate::wire::Spelling;

/// A scripted fault.
#[derive(Debug, Clone)]
pub struct Fault {
    action: Action,
    phase: Phase,
    route: Option<Route>,
    repository: Option<String>,
    /// Only requests with bodies longer than this.
    longer_than: Option<u64>,
    /// Requests that match and are let through first.
    skip: usize,
    /// Requests that still go wrong; without end if `None`.
    left: Option<usize>,
}

/// At which moment of a request a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before anything is looked at, not even the body.
    BeforeHead,
    /// When the first of the body has arrived, and nothing of it is kept. A client that has begun to send cannot take
    /// the connection for one that was closed while it was idle.
    BodyBegun,
    /// When this many bytes of the body have arrived, and the body goes on. At most one fault of a request
    /// happens there, the first in the script.
    AfterBodyBytes(u64),
    /// When the whole request has arrived, and nothing has changed yet.
    BeforeState,
    /// When the registry has done what was asked, and has not answered yet.
    AfterState,
    /// When this many bytes of the answer have left, its head included. Only connections go wrong there; an
    /// answer that is shorter is not touched.
    InAnswer(u64),
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// The connection is reset.
    Reset,
    /// The connection is closed.
    Close,
    /// Nothing happens any more.
    Stall,
    /// The request goes on after a while. In the middle of a body, nothing more of it is read meanwhile.
    Delay(Duration),
    /// Another answer is given; what was asked is not done, if it is not done yet.
    Answer {
        /// The status.
        status: u16,
        /// Headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// The answer has another status.
    EditStatus(u16),
    /// The answer has a header with another value.
    SetHeader(String, String),
    /// The answer lacks a header.
    RemoveHeader(String),
    /// The JSON object in the answer has a member with another value, or lacks it.
    SetMember(String, Option<serde_json::Value>),
    /// A member of the JSON object in the answer has another name.
    RenameMember(String, String),
    /// The connection is closed after half of the answer's body.
    HalveBody,
    /// The address in `Location` is written as short as it can be, relative to that of the request.
    ShortenLocation,
    /// The answer is put on the wire in another way.
    Spell(Spelling),
    /// All tokens become invalid, and the request goes on. Its own token is looked at between
    /// [`Phase::BeforeHead`] and the others.
    RevokeTokens,
}

impl Action {
    /// Another answer.
    #[must_use]
    pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self::Answer {
            status,
            headers: headers.iter().map(owned).collect(),
            body: body.to_owned(),
        }
    }

    /// An answer with an error envelope.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = crate::answer::envelope(code, message, None);
        Self::answer(status, &[("content-type", "application/json")], &body)
    }

    /// Whether it changes an answer that is there, rather than the course of the request.
    pub(crate) fn is_edit(&self) -> bool {
        matches!(
            self,
            Self::EditStatus(_)
                | Self::SetHeader(..)
                | Self::RemoveHeader(_)
                | Self::SetMember(..)
                | Self::RenameMember(..)
                | Self::HalveBody
                | Self::ShortenLocation
                | Self::Spell(_)
        )
    }
}

impl Fault {
    /// A fault of every request, before it is looked at.
    #[must_use]
    pub fn new(action: Action) -> Self {
        let phase = if action.is_edit() {
            Phase::AfterState
        } else {
            Phase::BeforeHead
        };
        Self {
            action,
            phase,
            route: None,
            repository: None,
            longer_than: None,
            skip: 0,
            left: None,
        }
    }

    /// Only of requests of this kind.
    #[must_use]
    pub fn on(mut self, route: Route) -> Self {
        self.route = Some(route);
        self
    }

    /// Only of requests for this repository.
    #[must_use]
    pub fn repository(mut self, repository: &str) -> Self {
        self.repository = Some(repository.to_owned());
        self
    }

    /// Only of requests whose body is longer than so many bytes.
    #[must_use]
    pub fn body_over(mut self, bytes: u64) -> Self {
        self.longer_than = Some(bytes);
        self
    }

    /// At another moment. Edits of an answer always happen at its end.
    #[must_use]
    pub fn at(mut self, phase: Phase) -> Self {
        if !self.action.is_edit() {
            self.phase = phase;
        }
        self
    }

    /// Only from the `n`-th matching request on, counted from 1.
    #[must_use]
    pub fn from_request(mut self, n: usize) -> Self {
        self.skip = n.saturating_sub(1);
        self
    }

    /// Only once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.left = Some(times);
        self
    }

    fn matches(&self, route: Route, repository: &str, length: Option<u64>) -> bool {
        let least = match self.phase {
            // A body that is known to be shorter never gets there.
            Phase::AfterBodyBytes(bytes) => Some(bytes).max(self.longer_than),
            Phase::BodyBegun => Some(0).max(self.longer_than),
            _ => self.longer_than,
        };
        let is_long = least.is_none_or(|least| length.is_none_or(|length| length > least));
        is_long
            && self.route.is_none_or(|wanted| wanted == route)
            && self
                .repository
                .as_deref()
                .is_none_or(|wanted| wanted == repository)
    }
}

/// Where in a body a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// At its first bytes, of which none is taken.
    First,
    /// After so many bytes, which are taken.
    After(u64),
}

/// The faults that apply to one request, by phase.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Vec<(Phase, Action)>);

impl Faults {
    /// What happens at a moment that is not within the body.
    pub(crate) fn at(&self, phase: Phase) -> impl Iterator<Item = &Action> {
        self.0
            .iter()
            .filter(move |(at, action)| *at == phase && !action.is_edit())
            .map(|(_, action)| action)
    }

    /// What happens within the body, and where.
    pub(crate) fn in_body(&self) -> Option<(Place, &Action)> {
        self.0.iter().find_map(|(phase, action)| match phase {
            Phase::BodyBegun => Some((Place::First, action)),
            Phase::AfterBodyBytes(bytes) => Some((Place::After(*bytes), action)),
            _ => None,
        })
    }

    /// What happens within the answer, and after how many bytes.
    pub(crate) fn in_answer(&self) -> Option<(u64, Ending)> {
        self.0.iter().find_map(|(phase, action)| match phase {
            Phase::InAnswer(bytes) => {
                let ending = match action {
                    Action::Reset => Ending::Reset,
                    Action::Close => Ending::Close,
                    Action::Stall => Ending::Stall,
                    Action::Delay(duration) => Ending::Pause(*duration),
                    _ => return None,
                };
                Some((*bytes, ending))
            }
            _ => None,
        })
    }

    /// Changes to the answer.
    pub(crate) fn edits(&self) -> impl Iterator<Item = &Action> {
        self.0
            .iter()
            .filter(|(_, action)| action.is_edit())
            .map(|(_, action)| action)
    }
}

/// The script.
#[derive(Debug, Default)]
pub(crate) struct Script(Mutex<Vec<Fault>>);

impl Script {
    pub(crate) fn add(&self, fault: Fault) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    /// Takes the faults that apply to a request, and counts it.
    pub(crate) fn take(&self, route: Route, repository: &str, length: Option<u64>) -> Faults {
        let mut script = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Faults::default();
        for fault in script
            .iter_mut()
            .filter(|fault| fault.matches(route, repository, length))
        {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault.left == Some(0) {
                continue;
            }
            fault.left = fault.left.map(|left| left - 1);
            taken.0.push((fault.phase, fault.action.clone()));
        }
        taken
    }
}
