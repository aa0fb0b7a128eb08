//! Reading blobs.

use crate::answer::{self, Answer};
use crate::route::Route;
use crate::server::Call;
use crate::store::is_digest;

/// HEAD and GET.
pub(crate) fn read(call: &Call<'_>) -> Answer {
    let digest = &call.target.last;
    let is_head = call.target.route == Route::BlobHead;
    if !is_digest(digest) {
        let answer = answer::error(400, "DIGEST_INVALID", "invalid digest");
        return if is_head {
            answer.map(|_| axum::body::Body::empty())
        } else {
            answer
        };
    }
    let store = call.shared.store();
    let Some(size) = store.blob_size(&call.target.repository, digest) else {
        let answer = answer::error(404, "BLOB_UNKNOWN", "blob unknown to registry");
        return if is_head {
            answer.map(|_| axum::body::Body::empty())
        } else {
            answer
        };
    };
    let size = size.to_string();
    let headers = [
        ("content-type", "application/octet-stream"),
        ("docker-content-digest", digest.as_str()),
        ("content-length", size.as_str()),
    ];
    if is_head {
        return answer::empty(200, &headers);
    }
    match store.blob(&call.target.repository, digest) {
        Some(bytes) => answer::with_body(200, &headers, bytes),
        None => answer::error(404, "BLOB_UNKNOWN", "the blob's bytes were discarded"),
    }
}
