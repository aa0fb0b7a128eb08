//! What is fuzzed of the engine: everything that it reads in a registry's answer. The bytes are a status, header
//! lines, an empty line, and a body.

use oci_push::internals::{Challenge, Request, Response, held};
use oci_push::{Rejection, Step};

/// Reads the bytes as an answer in every way in which the engine does. Tells whether they were one.
pub fn answers(bytes: &[u8]) -> bool {
    let Some((status, headers, body)) = split(bytes) else {
        return false;
    };
    let Ok(url) = url::Url::parse("https://registry.example/v2/o/n/blobs/uploads/") else {
        return false;
    };
    let request = Request::new(Step::StartUpload, http::Method::POST, url.clone());
    let response = Response {
        status,
        headers,
        body: bytes::Bytes::copy_from_slice(body),
        url,
    };
    let _ = Challenge::best(&response.headers);
    for range in response.headers.get_all(http::header::RANGE) {
        if let Some(held) = range.to_str().ok().and_then(held) {
            assert_ne!(held, 1, "one byte and none look alike, and count as none");
        }
    }
    let rejection = Rejection::new(&request, &response);
    let words = rejection.words();
    assert!(words.len() <= 4 * body.len() + rejection.errors.len() * 2);
    assert!(
        rejection
            .retry_after
            .is_none_or(|wait| wait.as_secs() <= 24 * 60 * 60)
    );
    let _ = (
        rejection.is_rate_limit(),
        rejection.is_wordless(),
        rejection.to_string(),
    );
    true
}

fn split(bytes: &[u8]) -> Option<(http::StatusCode, http::HeaderMap, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let (head, body) = (&bytes[..end], &bytes[end + 2..]);
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = http::StatusCode::from_bytes(lines.next()?).ok()?;
    let mut headers = http::HeaderMap::new();
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = http::HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = http::HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        headers.append(name, value);
    }
    Some((status, headers, body))
}
