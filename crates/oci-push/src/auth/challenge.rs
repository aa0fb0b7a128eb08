//! What a registry asks for in `WWW-Authenticate`.
//!
//! A registry may send several headers, each with several challenges; bearer wins over basic, as the
//! distribution token specification intends (<https://distribution.github.io/distribution/spec/auth/token/>).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use http_auth::parse_challenges;

/// A way to authenticate that the registry offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// Fetch a token and present it.
    Bearer {
        /// The token service's URL.
        realm: String,
        /// What the token service calls this registry.
        service: Option<String>,
    },
    /// Present the credential itself.
    Basic,
}

impl Challenge {
    /// The best challenge among all headers, `None` if there is none that is known.
    ///
    /// The scope that a challenge hints at is left out on purpose: ghcr.io hints `pull` to a client
    /// that has to push.
    #[must_use]
    pub fn best(headers: &HeaderMap) -> Option<Self> {
        let mut basic = None;
        for value in headers.get_all(WWW_AUTHENTICATE) {
            let Ok(text) = value.to_str() else { continue };
            // A broken header must not hide a good one beside it.
            for challenge in parse_challenges(text).unwrap_or_default() {
                let parameter = |wanted: &str| {
                    let (_, value) = challenge
                        .params
                        .iter()
                        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
                    Some(value.to_unescaped())
                };
                if challenge.scheme.eq_ignore_ascii_case("bearer") {
                    if let Some(realm) = parameter("realm") {
                        let service = parameter("service");
                        return Some(Self::Bearer { realm, service });
                    }
                } else if challenge.scheme.eq_ignore_ascii_case("basic") {
                    basic = Some(Self::Basic);
                }
            }
        }
        basic
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn best(values: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header value");
            headers.append(WWW_AUTHENTICATE, value);
        }
        Challenge::best(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
        }
    }

    #[test]
    fn challenges() {
        let ghcr =
            r#"Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:o/n:pull""#;
        for (values, expected) in [
            (
                vec![ghcr],
                Some(bearer("https://ghcr.io/token", Some("ghcr.io"))),
            ),
            (
                vec!["Basic realm=\"x\"", ghcr],
                Some(bearer("https://ghcr.io/token", Some("ghcr.io"))),
            ),
            (
                vec!["basic realm=\"x\", bearer realm=\"https://a/t\""],
                Some(bearer("https://a/t", None)),
            ),
            (vec!["Basic realm=\"x\""], Some(Challenge::Basic)),
            (vec!["Bearer service=\"x\""], None),
            (vec!["Negotiate"], None),
            (
                vec!["Bearer realm=\"unterminated", "Basic realm=\"x\""],
                Some(Challenge::Basic),
            ),
            (vec![], None),
        ] {
            assert_eq!(best(&values), expected, "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_taken(value in "[ -~]{0,200}") {
            let _ = best(&[&value]);
        }
    }
}
