//! Texts by people who do not wish well.

use proptest::prelude::*;

use super::support::{denied, run};
use crate::{
    Code, Context, Credential, CredentialFacts, Diagnosis, Evidence, Link, TokenKind, diagnose, log,
};

/// Whether all that is shown is free of what could move a cursor or begin a line, but for the line breaks
/// of the remedies' own.
fn is_harmless(diagnosis: &Diagnosis) -> bool {
    let is_plain = |text: &str| {
        !text
            .chars()
            .any(|c| c.is_control() || c == '\u{202e}' || c == '\u{2028}')
    };
    is_plain(&diagnosis.summary)
        && diagnosis.causes.iter().all(|cause| {
            is_plain(&cause.why)
                && cause.evidence.iter().all(|evidence| is_plain(evidence))
                && cause
                    .remedy
                    .lines()
                    .all(|line| is_plain(line) && !line.starts_with("::"))
                && cause.url.as_deref().is_none_or(is_plain)
        })
}

const HOSTILE: &str = "\u{1b}[31m\r\n::error::owned\n##[add-mask]x\u{202e}\u{2028}\u{9b}";

/// A context all of whose texts are `text`.
fn filled_with(text: &str) -> Context {
    let mut context = run(|actions| {
        actions.repository = format!("{text}/{text}");
        actions.workflow_file = Some(text.to_owned());
        actions.job = Some(text.to_owned());
        actions.head_repository = Some(text.to_owned());
        actions.called_workflow = Some(text.to_owned());
        actions.site = Some(text.to_owned());
    });
    context.owner = text.to_owned();
    context.package = text.to_owned();
    context.reference = text.to_owned();
    context.web_host = text.to_owned();
    context.credential = Credential::Used(CredentialFacts {
        source: text.to_owned(),
        kind: TokenKind::Installation,
    });
    context.token.login = Some(text.to_owned());
    context.token.sso_url = Some(text.to_owned());
    context.package_facts.link = Link::Repository(text.to_owned());
    context.package_facts.visibility = Some(text.to_owned());
    context.empty_variables = vec![text.to_owned()];
    context.proxy_variables = vec![text.to_owned()];
    context.probes = vec![text.to_owned()];
    context
}

const STARTS: [&str; 12] = [
    "permission_denied: write_package",
    "permission_denied: read_package",
    "permission_denied: create_package",
    "permission_denied: installation not allowed to Create organization package",
    "permission_denied: The requested installation does not exist.",
    "permission_denied: The token provided does not match expected scopes.",
    "not_found: owner not found",
    "SAML enforcement",
    "IP allow list",
    "retry-after: ",
    "<html>",
    "denied",
];

#[test]
fn nothing_hostile_is_passed_on() {
    for start in STARTS {
        for change in [None, Some(true), Some(false)] {
            let mut context = filled_with(HOSTILE);
            if let Some(actions) = context.actions.as_mut() {
                actions.fork = change;
                actions.reusable = change.map(|change| !change);
                actions.token_is_own = change;
            }
            let mut evidence = denied(&format!("{start}{HOSTILE}"));
            evidence.request_id = Some(HOSTILE.to_owned());
            evidence.headers = vec![
                (
                    "x-github-sso".to_owned(),
                    format!("required; url={HOSTILE}"),
                ),
                ("retry-after".to_owned(), HOSTILE.to_owned()),
                ("via".to_owned(), HOSTILE.to_owned()),
            ];
            let diagnosis = diagnose(&evidence, &context).expect("a diagnosis");
            assert!(is_harmless(&diagnosis), "{diagnosis:#?}");
            // That header alone makes it a limit; without it the other rules quote.
            evidence.headers.retain(|(name, _)| name != "retry-after");
            let diagnosis = diagnose(&evidence, &context).expect("a diagnosis");
            assert!(is_harmless(&diagnosis), "{diagnosis:#?}");
        }
    }
}

/// An address in a header is followed by people; only the site's own is shown as one to open.
#[test]
fn a_header_sends_nobody_elsewhere() {
    let mut evidence = denied("Resource protected by organization SAML enforcement.");
    let own = "https://github.com/orgs/owner/sso?authorization_request=A1";
    for (address, expected) in [
        (own, own),
        (
            "https://github.com.evil.example/orgs/owner/sso",
            "https://github.com/settings/tokens",
        ),
        ("javascript:alert(1)", "https://github.com/settings/tokens"),
    ] {
        evidence.headers = vec![(
            "x-github-sso".to_owned(),
            format!("required; url={address}"),
        )];
        let diagnosis = diagnose(&evidence, &super::support::desk(TokenKind::ClassicPersonal));
        let cause = diagnosis.expect("a diagnosis").causes.remove(0);
        assert_eq!(cause.url.as_deref(), Some(expected));
        assert!(!cause.remedy.contains("evil") && !cause.remedy.contains("javascript"));
    }
}

/// Words that could lead to any rule, whatever stands between.
fn words() -> impl Strategy<Value = String> {
    let known = prop::sample::select(STARTS.to_vec()).prop_map(str::to_owned);
    let more = prop::sample::select(vec![
        "ghcr.io/o/n:1",
        "403",
        "unexpected status: 403 Forbidden",
        "{\"errors\":[",
        "\"code\":\"DENIED\"",
        "https://ghcr.io/v2/o/n/blobs/uploads/",
        "#12 ",
        "level=fatal msg=\"",
        "2026-02-20T10:11:12.1Z ",
        "\n",
        "\r",
        "\u{1b}[",
        "::error::",
        "denied: ",
        "x-github-request-id: ",
        "GITHUB_TOKEN Permissions\n",
        "é",
        "İ",
        "ß",
    ])
    .prop_map(str::to_owned);
    prop::collection::vec(prop_oneof![known, more, any::<String>()], 0..12)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_words_panic_and_none_escape(text in words(), status in prop::option::of(400_u16..600)) {
        let mut evidence = denied(&text);
        evidence.status = status;
        for context in [Context::default(), filled_with(&text)] {
            if let Some(diagnosis) = diagnose(&evidence, &context) {
                prop_assert!(is_harmless(&diagnosis), "{:#?}", diagnosis);
                prop_assert!(!diagnosis.causes.is_empty());
            }
        }
        let page = Evidence {
            body: Some(text.clone()),
            url: Some(text.clone()),
            reference: Some(text),
            status,
            ..Evidence::default()
        };
        if let Some(diagnosis) = diagnose(&page, &Context::default()) {
            prop_assert!(is_harmless(&diagnosis), "{:#?}", diagnosis);
        }
    }

    #[test]
    fn no_log_panics(text in words()) {
        for evidence in log::recognise(&text) {
            if let Some(diagnosis) = diagnose(&evidence, &Context::default()) {
                prop_assert!(is_harmless(&diagnosis), "{:#?}", diagnosis);
            }
        }
    }

    /// A rate limit is given no permission's cure, however it is worded, marked or dressed.
    #[test]
    fn a_rate_limit_is_only_that(
        before in words(),
        after in words(),
        limit in limits(),
        status in prop::sample::select(vec![None, Some(401), Some(403), Some(429)]),
        context in prop::sample::select(vec![
            Context::default(),
            super::support::job(),
            super::support::desk(TokenKind::ClassicPersonal),
            super::support::desk(TokenKind::FineGrainedPersonal),
            super::support::desk(TokenKind::Unknown),
        ]),
    ) {
        let mut evidence = denied(&format!("{before} {}. {after}", limit.words));
        // A header speaks for itself in a refusal of access only.
        evidence.status = if limit.headers.is_empty() { status } else { Some(403) };
        evidence.headers = limit.headers;
        let diagnosis = diagnose(&evidence, &context).expect("a diagnosis");
        prop_assert!(LIMITS.contains(&diagnosis.code), "{:#?}", diagnosis);
        for cause in &diagnosis.causes {
            let is_passing = LIMITS.contains(&cause.code) || cause.code == Code::RegistryUnavailable;
            prop_assert!(is_passing, "{:#?}", diagnosis);
        }
    }
}

const LIMITS: [Code; 2] = [Code::SecondaryRateLimit, Code::RateLimit];

/// What tells a limit.
#[derive(Debug, Clone)]
struct Limit {
    words: String,
    headers: Vec<(String, String)>,
}

/// Limits in the words that services use, in any case and with any blanks, or by a header alone.
fn limits() -> impl Strategy<Value = Limit> {
    let frame = prop::sample::select(vec!["You have hit the", "secondary", "your API", ""]);
    let noun = prop::sample::select(vec!["rate limit", "rate-limit", "RATE_LIMIT_EXCEEDED"]);
    let end = prop::sample::select(vec![
        "reached",
        "exceeded",
        "in force, please slow down",
        "",
    ]);
    let built = (frame, noun, end).prop_map(|(frame, noun, end)| format!("{frame} {noun} {end}"));
    let whole = prop::sample::select(vec![
        "You are being rate limited",
        "Rate exceeded",
        "your request was throttled",
        "You have triggered an abuse detection mechanism",
        "too many attempts, try again later",
        "Too Many Requests",
        "resource_exhausted",
        "TOOMANYREQUESTS",
    ]);
    let said = prop_oneof![built, whole.prop_map(str::to_owned)]
        .prop_flat_map(|words| {
            prop::sample::select(vec![words.to_uppercase(), words.replace(' ', "\n"), words])
        })
        .prop_map(|words| Limit {
            words,
            headers: Vec::new(),
        });
    let marked = prop_oneof![
        (1_u32..100_000).prop_map(|seconds| ("retry-after", seconds.to_string())),
        Just(("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT".to_owned())),
        Just(("x-ratelimit-remaining", "0".to_owned())),
    ];
    let marked = marked.prop_map(|(name, value)| Limit {
        words: String::new(),
        headers: vec![(name.to_owned(), value)],
    });
    prop_oneof![said, marked]
}
