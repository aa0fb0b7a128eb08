//! Requests of which it is not clear whether the registry has carried them out.

use http::{StatusCode, header};

use super::{Outcome, RetryTransport};
use crate::request::{Request, Response, Transport};

/// The try from which on it is asked: most that is lost is lost once.
const ASKED_FROM: u32 = 2;

impl<T: Transport> RetryTransport<T> {
    /// The proof that a request was carried out although its answer was lost, if there is any.
    pub(super) async fn settle(
        &self,
        request: &Request,
        outcome: Outcome,
        attempt: u32,
    ) -> Option<Response> {
        let settlement = request.settled_by.as_deref()?;
        if attempt < ASKED_FROM || !leaves_open(outcome) {
            return None;
        }
        let mut question = settlement.question.clone();
        if let Some(authorization) = request.headers.get(header::AUTHORIZATION) {
            let authorization = authorization.clone();
            question
                .headers
                .insert(header::AUTHORIZATION, authorization);
        }
        let answer = self.inner.send(&question).await.ok()?;
        let named = answer.header("docker-content-digest")?;
        let is_done = answer.status == StatusCode::OK && named == settlement.digest.to_string();
        is_done.then_some(answer)
    }
}

/// Whether a request that ended so may have been carried out.
fn leaves_open(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Unanswered | Outcome::Unfinished | Outcome::Silent | Outcome::Malformed => true,
        Outcome::Answered { status, .. } => matches!(status, 408 | 499..=599),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_open_whether_it_was_done() {
        let open = |status| {
            leaves_open(Outcome::Answered {
                status,
                advised: None,
            })
        };
        let lost = [
            Outcome::Unanswered,
            Outcome::Unfinished,
            Outcome::Silent,
            Outcome::Malformed,
        ];
        assert!(lost.into_iter().all(leaves_open));
        for outcome in [Outcome::Unreachable, Outcome::Unresolved, Outcome::Final] {
            assert!(!leaves_open(outcome), "{outcome:?}");
        }
        let statuses: Vec<u16> = (100..500).filter(|status| open(*status)).collect();
        assert_eq!(statuses, [408, 499]);
        assert!((500..600).all(open));
    }
}
