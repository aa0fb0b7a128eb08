//! Headers for the log: all names, but only values that can hold no secret.

use http::{HeaderMap, header};

/// Headers whose values say what was asked or answered, and open nothing. An address that an answer gives is not
/// among them: that of an upload session is a capability.
const SHOWN: [&str; 19] = [
    "accept",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "docker-content-digest",
    "docker-distribution-api-version",
    "docker-upload-uuid",
    "oci-chunk-max-length",
    "oci-chunk-min-length",
    "range",
    "retry-after",
    "server",
    "via",
    "www-authenticate",
    "x-github-request-id",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];

/// The headers as one line, `Authorization` left out.
pub(super) fn in_one_line(headers: &HeaderMap) -> String {
    let shown = headers
        .iter()
        .filter(|(name, _)| *name != header::AUTHORIZATION)
        .map(|(name, value)| {
            let value = value.to_str().ok().filter(|_| !value.is_sensitive());
            match value.filter(|_| SHOWN.contains(&name.as_str())) {
                Some(value) => format!("{name}: {value}"),
                None => name.to_string(),
            }
        });
    shown.collect::<Vec<String>>().join("; ")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn values_that_open_nothing() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer secret"),
            ("content-range", "0-99"),
            ("location", "/v2/o/n/blobs/uploads/1?_state=secret"),
            ("set-cookie", "session=secret"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let mut sensitive = HeaderValue::from_static("secret");
        sensitive.set_sensitive(true);
        headers.insert("via", sensitive);
        assert_eq!(
            in_one_line(&headers),
            "content-range: 0-99; location; set-cookie; via"
        );
    }
}
