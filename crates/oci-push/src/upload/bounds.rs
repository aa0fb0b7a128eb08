//! What a registry announces about the size of chunks when it opens a session.

use crate::request::Response;

/// No registry needs larger chunks: what asks for more wants blobs as a whole, or means nothing. regclient draws
/// the line at the same place
/// (<https://github.com/regclient/regclient/blob/725072f65f14ab63d6b220246c3a889dcd5e2f5f/scheme/reg/blob.go>).
const LARGEST_LEAST: u64 = 1024 * 1024 * 1024;

/// No registry needs smaller ones: a limit of one byte would make a request of each.
const SMALLEST_MOST: u64 = 64 * 1024;

/// The sizes of chunks that a session takes, as far as it says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ChunkBounds {
    /// Of any chunk but the last: `OCI-Chunk-Min-Length` (distribution-spec, "Pushing a blob in chunks").
    pub(crate) least: Option<u64>,
    /// Of any body: `OCI-Chunk-Max-Length`, which is proposed
    /// (<https://github.com/opencontainers/distribution-spec/issues/485>) and announced where a proxy limits bodies
    /// (<https://github.com/cloudflare/serverless-registry/blob/5f97b0ec/src/router.ts>).
    pub(crate) most: Option<u64>,
}

impl ChunkBounds {
    /// What an answer announces.
    pub(crate) fn announced(response: &Response) -> Self {
        let bytes = |name| response.header(name).and_then(number);
        Self::of(bytes("oci-chunk-min-length"), bytes("oci-chunk-max-length"))
    }

    fn of(least: Option<u64>, most: Option<u64>) -> Self {
        let least = least.filter(|least| (1..=LARGEST_LEAST).contains(least));
        let most = most
            .filter(|most| *most > 0)
            .map(|most| most.max(SMALLEST_MOST));
        match (least, most) {
            // A registry that contradicts itself has said nothing.
            (Some(least), Some(most)) if least > most => Self::default(),
            (least, most) => Self { least, most },
        }
    }

    /// Whether a body of `size` bytes is too large.
    pub(crate) fn exceeds(self, size: u64) -> bool {
        self.most.is_some_and(|most| size > most)
    }
}

fn number(value: &str) -> Option<u64> {
    let value = value.trim();
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, StatusCode};
    use url::Url;

    use super::*;

    #[test]
    fn announcements() {
        const MIB: u64 = 1024 * 1024;
        for (least, most, expected) in [
            ("", "", (None, None)),
            ("5242880", "104857600", (Some(5 * MIB), Some(100 * MIB))),
            (" 5242880 ", "", (Some(5 * MIB), None)),
            ("0", "0", (None, None)),
            ("-1", "-1", (None, None)),
            ("+5", "+5", (None, None)),
            ("5 MiB", "none", (None, None)),
            ("18446744073709551616", "18446744073709551616", (None, None)),
            ("1099511627776", "", (None, None)),
            ("", "1", (None, Some(SMALLEST_MOST))),
            ("", "18446744073709551615", (None, Some(u64::MAX))),
            ("5242880", "4194304", (None, None)),
            ("5242880", "5242880", (Some(5 * MIB), Some(5 * MIB))),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("oci-chunk-min-length", least),
                ("oci-chunk-max-length", most),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
            let response = Response {
                status: StatusCode::ACCEPTED,
                headers,
                body: Bytes::new(),
                url: Url::parse("https://registry.example/").expect("a test URL is valid"),
            };
            let bounds = ChunkBounds::announced(&response);
            assert_eq!((bounds.least, bounds.most), expected, "{least}, {most}");
        }
    }
}
