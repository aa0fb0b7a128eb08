//! The kinds of faults, each with a name and the moments at which it makes sense: one table for tests that go
//! through all of them, and for what documents say of those.

use std::time::Duration;

use crate::fault::{Action, Fault, Phase};
use crate::route::Route;

/// A kind of fault.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Kind {
    /// What tests and documents call it.
    pub name: &'static str,
    /// What goes wrong.
    pub action: Action,
    /// Whether it is no more than trouble that passes, which keeps no push from its end. The others are, or may
    /// be, a refusal or a registry that contradicts itself.
    pub passes: bool,
    moments: &'static [Moment],
    /// The only requests whose answers have what is changed; all if empty.
    routes: &'static [Route],
}

/// A moment of a request, by which kinds of faults are listed. See [`Phase`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Moment {
    /// Before anything is looked at.
    Head,
    /// After half of the body.
    Body,
    /// When all has arrived, and nothing has changed yet.
    Whole,
    /// When what was asked is done, and nothing is answered yet.
    Done,
    /// After the first bytes of the answer.
    Answer,
}

impl Moment {
    /// What documents call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Head => "at once",
            Self::Body => "half-way",
            Self::Whole => "at the end",
            Self::Done => "once done",
            Self::Answer => "in the answer",
        }
    }

    /// The same for a request with a body of so many bytes.
    #[must_use]
    pub fn phase(self, body: u64) -> Phase {
        match self {
            Self::Head => Phase::BeforeHead,
            Self::Body => Phase::AfterBodyBytes(body / 2),
            Self::Whole => Phase::BeforeState,
            Self::Done => Phase::AfterState,
            // Before the status is known.
            Self::Answer => Phase::InAnswer(10),
        }
    }
}

/// Connections go wrong anywhere.
const ANYWHERE: &[Moment] = &[
    Moment::Head,
    Moment::Body,
    Moment::Whole,
    Moment::Done,
    Moment::Answer,
];

/// Answers come at the beginning, in time, or when it is too late.
const ANSWERS: &[Moment] = &[Moment::Head, Moment::Whole, Moment::Done];

/// Changes of the answer that is there.
const EDITS: &[Moment] = &[Moment::Done];

const SESSIONS: &[Route] = &[Route::UploadStart, Route::UploadChunk, Route::UploadStatus];

/// A page that a proxy gives.
const PAGE: &str = "<html><body><h1>Not now</h1></body></html>";

impl Kind {
    /// The whole table.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let kind = |name, action, moments| Self {
            name,
            action,
            passes: true,
            moments,
            routes: &[],
        };
        let connections = [
            kind("reset", Action::Reset, ANYWHERE),
            kind("end of the connection", Action::Close, ANYWHERE),
            kind("stall", Action::Stall, ANYWHERE),
            kind("delay", Action::Delay(Duration::from_millis(30)), ANYWHERE),
            kind("end of all tokens", Action::RevokeTokens, ANSWERS),
        ];
        let answers = [
            ("401", 401, "", ""),
            ("403 without words", 403, "", ""),
            (
                "403 as a secondary limit",
                403,
                "",
                r#"{"message":"You have exceeded a secondary rate limit."}"#,
            ),
            (
                "404",
                404,
                "",
                r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown to registry"}]}"#,
            ),
            ("408", 408, "", r#"{"errors":[{"co"#),
            ("413", 413, "", PAGE),
            ("416", 416, "", ""),
            ("425", 425, "", ""),
            ("429", 429, "1", PAGE),
            (
                "429 with the wait in its text",
                429,
                "",
                r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 250.1ms, allowed: 2000/minute"}]}"#,
            ),
            ("499", 499, "", ""),
            ("500", 500, "", ""),
            ("502", 502, "", PAGE),
            ("503", 503, "2", ""),
            ("504", 504, "", PAGE),
            ("520", 520, "", PAGE),
        ];
        let answers = answers.map(|(name, status, wait, body)| {
            let wait = (!wait.is_empty()).then(|| ("retry-after".to_owned(), wait.to_owned()));
            let action = Action::Answer {
                status,
                headers: wait.into_iter().collect(),
                body: body.to_owned(),
            };
            Self {
                passes: !matches!(status, 401 | 404 | 413 | 416),
                ..kind(name, action, ANSWERS)
            }
        });
        let set = |name: &str, value: &str| Action::SetHeader(name.to_owned(), value.to_owned());
        let remove = |name: &str| Action::RemoveHeader(name.to_owned());
        let edits = [
            ("no `Range`", remove("range"), SESSIONS),
            ("a garbled `Range`", set("range", "bytes 0-x/*"), SESSIONS),
            ("no `Location`", remove("location"), SESSIONS),
            ("a short `Location`", Action::ShortenLocation, SESSIONS),
            (
                "half of the answer's body",
                Action::HalveBody,
                &[Route::Token, Route::ManifestGet],
            ),
        ];
        let edits = edits.map(|(name, action, routes): (_, _, &'static [Route])| Self {
            routes,
            passes: name != "no `Location`",
            ..kind(name, action, EDITS)
        });
        connections
            .into_iter()
            .chain(answers)
            .chain(edits)
            .collect()
    }

    /// The moments that there are for it.
    #[must_use]
    pub fn all_moments(&self) -> &'static [Moment] {
        self.moments
    }

    /// The moments at which it strikes a request of this kind with a body of so many bytes.
    pub fn moments(&self, route: Route, body: u64) -> impl Iterator<Item = Moment> + use<> {
        let moments = if self.routes.is_empty() || self.routes.contains(&route) {
            self.moments
        } else {
            &[]
        };
        // Without a body its middle is its beginning, and its end as well.
        let has_body = route.has_body() && body > 1;
        let is_there =
            move |moment: &Moment| has_body || !matches!(moment, Moment::Body | Moment::Whole);
        moments.iter().copied().filter(is_there)
    }

    /// The fault, once, of the `number`-th request of its kind.
    #[must_use]
    pub fn strike(&self, route: Route, number: usize, moment: Moment, body: u64) -> Fault {
        Fault::new(self.action.clone())
            .on(route)
            .from_request(number)
            .at(moment.phase(body))
            .once()
    }
}
