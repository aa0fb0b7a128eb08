//! One answer in the ways in which servers and proxies are known to put it on the wire, which hyper's own
//! server does not do.

use bytes::Bytes;
use http::response::Parts;
use http::{StatusCode, header};

/// How an answer is put on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spelling {
    /// Lines end without carriage returns, as those of Docker Hub's proxy when it limits
    /// (<https://github.com/docker/hub-feedback/issues/1907>).
    BareLineFeeds,
    /// Header names in capitals, values surrounded by spaces.
    Capitals,
    /// Without words after the status (<https://www.rfc-editor.org/rfc/rfc9112#section-4>).
    NoReason,
    /// An interim answer comes first, though it was not asked for.
    InterimFirst,
    /// HTTP/1.0, which ends every connection.
    Http10,
    /// The connection's end, which is announced, is the body's.
    UntilClose,
    /// With its length, and the connection ends all the same, unannounced.
    ClosesSilently,
    /// The end of the connection is announced.
    ClosesAnnounced,
    /// The body in pieces whose lengths stand before them, an empty one too.
    Chunked,
}

impl Spelling {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::BareLineFeeds,
        Self::Capitals,
        Self::NoReason,
        Self::InterimFirst,
        Self::Http10,
        Self::UntilClose,
        Self::ClosesSilently,
        Self::ClosesAnnounced,
        Self::Chunked,
    ];

    fn closes(self) -> bool {
        matches!(
            self,
            Self::Http10 | Self::UntilClose | Self::ClosesSilently | Self::ClosesAnnounced
        )
    }
}

/// The bytes of an answer, and whether the connection ends with them.
pub(crate) fn spell(head: &Parts, body: &[u8], is_head: bool, spelling: Spelling) -> (Bytes, bool) {
    let may_have_body = !is_head && head.status != StatusCode::NO_CONTENT;
    let is_chunked = spelling == Spelling::Chunked && may_have_body;
    let reason = head.status.canonical_reason().unwrap_or_default();
    let version = if spelling == Spelling::Http10 {
        "HTTP/1.0"
    } else {
        "HTTP/1.1"
    };
    let mut lines = Vec::new();
    if spelling == Spelling::InterimFirst {
        lines.extend([b"HTTP/1.1 100 Continue".to_vec(), Vec::new()]);
    }
    let reason = if spelling == Spelling::NoReason {
        ""
    } else {
        reason
    };
    lines.push(format!("{version} {} {reason}", head.status.as_u16()).into_bytes());
    for (name, value) in &head.headers {
        // A HEAD's is the length of something else, and no body's.
        if name == header::CONTENT_LENGTH && !is_head {
            continue;
        }
        let mut line = if spelling == Spelling::Capitals {
            format!("{}:  ", name.as_str().to_ascii_uppercase())
        } else {
            format!("{name}: ")
        }
        .into_bytes();
        line.extend_from_slice(value.as_bytes());
        if spelling == Spelling::Capitals {
            line.extend_from_slice(b" \t");
        }
        lines.push(line);
    }
    if is_chunked {
        lines.push(b"transfer-encoding: chunked".to_vec());
    } else if may_have_body && spelling != Spelling::UntilClose {
        lines.push(format!("content-length: {}", body.len()).into_bytes());
    }
    if matches!(spelling, Spelling::UntilClose | Spelling::ClosesAnnounced) {
        lines.push(b"connection: close".to_vec());
    }
    let end: &[u8] = if spelling == Spelling::BareLineFeeds {
        b"\n"
    } else {
        b"\r\n"
    };
    let mut bytes = Vec::new();
    for line in &lines {
        bytes.extend_from_slice(line);
        bytes.extend_from_slice(end);
    }
    bytes.extend_from_slice(end);
    if is_chunked {
        let (first, rest) = body.split_at(body.len() / 2);
        for piece in [first, rest].into_iter().filter(|piece| !piece.is_empty()) {
            bytes.extend_from_slice(format!("{:X}\r\n", piece.len()).as_bytes());
            bytes.extend_from_slice(piece);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
    } else if may_have_body {
        bytes.extend_from_slice(body);
    }
    (bytes.into(), spelling.closes())
}
