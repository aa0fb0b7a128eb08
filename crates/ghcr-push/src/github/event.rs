//! The event that started a run, out of its payload
//! (<https://docs.github.com/en/webhooks/webhook-events-and-payloads>).

use ghcr_diagnosis::OwnerKind;
use serde_json::Value;

/// Events whose runs have a token that may only read if the pull request comes from a fork
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows>).
/// `pull_request_target` is none of them.
const OF_PULL_REQUESTS: [&str; 3] = [
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
];

/// Whose a pull request is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EventFacts {
    /// Whether the run is one for a pull request from a fork.
    pub(super) fork: Option<bool>,
    /// The repository that the pull request comes from.
    pub(super) head_repository: Option<String>,
    /// Who opened the pull request.
    pub(super) author: Option<String>,
    /// Whose the run's own repository is.
    pub(super) owner_kind: Option<OwnerKind>,
}

/// Reads the payload of `event`, `None` if there is none that can be read. `repository` is the run's own.
///
/// A pull request comes from a fork if the repository of its head is another one, or is gone: the payload's
/// `fork` says merely that a repository is a fork of something.
pub(super) fn read(event: Option<&str>, payload: Option<&Value>, repository: &str) -> EventFacts {
    let Some(event) = event else {
        return EventFacts::default();
    };
    let owner_kind = payload
        .and_then(|payload| payload.pointer("/repository/owner/type")?.as_str())
        .and_then(owner_kind);
    let request = payload.and_then(|payload| payload.get("pull_request"));
    let author = request
        .and_then(|request| request.pointer("/user/login")?.as_str())
        .map(str::to_owned);
    if !OF_PULL_REQUESTS.contains(&event) {
        return EventFacts {
            fork: Some(false),
            head_repository: None,
            author,
            owner_kind,
        };
    }
    let Some(head) = request.and_then(|request| request.pointer("/head/repo")) else {
        return EventFacts {
            author,
            owner_kind,
            ..EventFacts::default()
        };
    };
    let name = head.get("full_name").and_then(Value::as_str);
    let base = request
        .and_then(|request| request.pointer("/base/repo/full_name")?.as_str())
        .unwrap_or(repository);
    EventFacts {
        fork: Some(name.is_none_or(|name| !name.eq_ignore_ascii_case(base))),
        head_repository: name.map(str::to_owned),
        author,
        owner_kind,
    }
}

/// An account's `type`.
pub(super) fn owner_kind(text: &str) -> Option<OwnerKind> {
    match text {
        "Organization" => Some(OwnerKind::Organization),
        "User" => Some(OwnerKind::User),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forks() {
        let pull = |head: Value| {
            json!({ "pull_request": {
                "head": { "repo": head },
                "base": { "repo": { "full_name": "owner/app", "fork": true } },
                "user": { "login": "somebody" },
            }})
        };
        let theirs = json!({ "full_name": "somebody/app", "fork": true });
        let ours = json!({ "full_name": "Owner/App", "fork": true });
        for (event, payload, fork) in [
            ("pull_request", Some(pull(theirs.clone())), Some(true)),
            (
                "pull_request_review",
                Some(pull(theirs.clone())),
                Some(true),
            ),
            // The fork is deleted.
            ("pull_request", Some(pull(Value::Null)), Some(true)),
            // A branch of the repository itself, which is a fork of another one.
            ("pull_request", Some(pull(ours)), Some(false)),
            ("pull_request_target", Some(pull(theirs)), Some(false)),
            ("push", None, Some(false)),
            ("pull_request", None, None),
            ("pull_request", Some(json!({ "pull_request": [] })), None),
            ("pull_request", Some(json!(3)), None),
        ] {
            let facts = read(Some(event), payload.as_ref(), "owner/app");
            assert_eq!(facts.fork, fork, "{event} {payload:?}");
        }
        assert_eq!(read(None, None, "owner/app"), EventFacts::default());
    }

    #[test]
    fn people() {
        let payload = json!({
            "pull_request": {
                "head": { "repo": { "full_name": "somebody/app" } },
                "user": { "login": "dependabot[bot]" },
            },
            "repository": { "owner": { "type": "Organization" } },
        });
        let facts = read(Some("pull_request"), Some(&payload), "owner/app");
        assert_eq!(facts.author.as_deref(), Some("dependabot[bot]"));
        assert_eq!(facts.head_repository.as_deref(), Some("somebody/app"));
        assert_eq!(facts.owner_kind, Some(OwnerKind::Organization));
        assert_eq!(owner_kind("Bot"), None);
    }
}
