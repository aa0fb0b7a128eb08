//! Manifests and tags.

use axum::body::Body;
use bytes::Bytes;
use http::header;
use serde_json::{Value, json};

use crate::answer::{self, Answer};
use crate::fault::Phase;
use crate::receive::Incoming;
use crate::route::Route;
use crate::server::{Call, Interruption};
use crate::store::{Store, StoredManifest, digest_like, is_digest};

/// The specification's limit.
const LIMIT: usize = 4 * 1024 * 1024;

/// HEAD and GET.
pub(crate) fn read(call: &Call<'_>) -> Answer {
    let is_head = call.target.route == Route::ManifestHead;
    let store = call.shared.store();
    let Some(manifest) = store.manifest(&call.target.repository, &call.target.last) else {
        let answer = answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
        return if is_head {
            answer.map(|_| Body::empty())
        } else {
            answer
        };
    };
    // ghcr.io answers 404 to a client that does not say it takes an index.
    let accepts = call
        .headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains(&manifest.media_type) || value.contains("*/*"));
    if call.shared.behavior.ghcr_sessions && !accepts {
        return answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    }
    let size = manifest.bytes.len().to_string();
    let headers = [
        ("content-type", manifest.media_type.as_str()),
        ("docker-content-digest", &manifest.digest),
        ("content-length", &size),
    ];
    if is_head {
        return answer::empty(200, &headers);
    }
    answer::with_body(200, &headers, manifest.bytes.clone())
}

/// PUT.
pub(crate) async fn put<'a>(
    call: &Call<'a>,
    incoming: &mut Incoming<'a>,
) -> Result<Answer, Interruption<'a>> {
    let Some(bytes) = incoming.all(LIMIT).await? else {
        return Ok(answer::error(
            413,
            "MANIFEST_INVALID",
            "the manifest is too large",
        ));
    };
    call.at(Phase::BeforeState).await?;
    Ok(store(call, bytes).unwrap_or_else(|refused| *refused))
}

fn store(call: &Call<'_>, bytes: Vec<u8>) -> Result<Answer, Box<Answer>> {
    let reference = &call.target.last;
    let repository = &call.target.repository;
    let media_type = call
        .header(header::CONTENT_TYPE.as_str())
        .unwrap_or_default();
    let by_digest = reference.contains(':');
    if by_digest && !is_digest(reference) {
        return Err(Box::new(answer::error(
            400,
            "DIGEST_INVALID",
            "invalid digest",
        )));
    }
    if !by_digest && !is_tag(reference) {
        return Err(Box::new(answer::error(400, "TAG_INVALID", "invalid tag")));
    }
    let like = if by_digest { reference } else { "sha256:" };
    let digest = digest_like(like, &bytes).unwrap_or_default();
    if by_digest && digest != *reference {
        let message = "provided digest did not match uploaded content";
        return Err(Box::new(answer::error(400, "DIGEST_INVALID", message)));
    }
    let mut store = call.shared.store();
    check(&store, repository, media_type, &bytes)?;
    store.put_manifest(
        repository,
        (!by_digest).then_some(reference.as_str()),
        StoredManifest {
            media_type: media_type.to_owned(),
            digest: digest.clone(),
            bytes: Bytes::from(bytes),
        },
    );
    let location = format!("/v2/{repository}/manifests/{digest}");
    Ok(answer::empty(
        201,
        &[("location", &location), ("docker-content-digest", &digest)],
    ))
}

/// Refuses a manifest that is none, or that names what is not there.
fn check(
    store: &Store,
    repository: &str,
    media_type: &str,
    bytes: &[u8],
) -> Result<(), Box<Answer>> {
    let invalid = |why: &str| {
        Box::new(answer::error_with(
            400,
            "MANIFEST_INVALID",
            "manifest invalid",
            Some(json!(why)),
        ))
    };
    let document: Value = serde_json::from_slice(bytes).map_err(|_| invalid("not JSON"))?;
    if document["schemaVersion"] != 2 {
        return Err(invalid("unknown schema version"));
    }
    if document["mediaType"]
        .as_str()
        .is_some_and(|own| own != media_type)
    {
        return Err(invalid("the media type is not that of the request"));
    }
    let children = document["manifests"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let layers = document["layers"].as_array().cloned().unwrap_or_default();
    let is_index = media_type.contains("index") || media_type.contains("manifest.list");
    if is_index && document["manifests"].is_null() || !is_index && document["config"].is_null() {
        return Err(invalid("the media type is not that of the document"));
    }
    let unknown = |digest: &str| {
        let detail = Some(json!(digest));
        answer::error_with(
            400,
            "MANIFEST_BLOB_UNKNOWN",
            "blob unknown to registry",
            detail,
        )
    };
    for child in &children {
        let digest = child["digest"].as_str().unwrap_or_default();
        let size = store
            .manifest(repository, digest)
            .map(|child| child.bytes.len() as u64);
        if size.is_none() || size != child["size"].as_u64() {
            return Err(Box::new(unknown(digest)));
        }
    }
    let blobs = layers.iter().chain(document.get("config"));
    for blob in blobs.filter(|blob| blob["urls"].as_array().is_none_or(Vec::is_empty)) {
        let digest = blob["digest"].as_str().unwrap_or_default();
        let size = store.blob_size(repository, digest);
        if size.is_none() || size != blob["size"].as_u64() {
            return Err(Box::new(unknown(digest)));
        }
    }
    Ok(())
}

/// The list of tags, in pages if asked.
pub(crate) fn tags(call: &Call<'_>) -> Answer {
    let repository = &call.target.repository;
    let store = call.shared.store();
    if !store.has_repository(repository) {
        return answer::error(404, "NAME_UNKNOWN", "repository name not known to registry");
    }
    let last = call.parameter("last").unwrap_or_default();
    let count: usize = call
        .parameter("n")
        .and_then(|count| count.parse().ok())
        .unwrap_or(usize::MAX);
    let tags: Vec<String> = store
        .tags(repository)
        .into_iter()
        .filter(|tag| tag.as_str() > last)
        .take(count)
        .collect();
    let body = json!({ "name": repository, "tags": tags }).to_string();
    answer::with_body(200, &[("content-type", "application/json")], body)
}

fn is_tag(text: &str) -> bool {
    text.len() <= 128
        && text.bytes().enumerate().all(|(at, byte)| {
            byte.is_ascii_alphanumeric() || byte == b'_' || at > 0 && b".-".contains(&byte)
        })
        && !text.is_empty()
}
