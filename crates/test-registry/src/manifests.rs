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
    let content_type = call.header(header::CONTENT_TYPE.as_str());
    // Without parameters, such as a character set.
    let media_type = content_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
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
    let document: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let subject = document["subject"]["digest"].as_str().unwrap_or_default();
    let mut store = call.shared.store();
    check(&store, repository, media_type, &bytes).map_err(|problem| Box::new(problem.answer()))?;
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
    let mut headers = vec![
        ("location", location.as_str()),
        ("docker-content-digest", &digest),
    ];
    if call.shared.behavior.lists_referrers && !subject.is_empty() {
        headers.push(("oci-subject", subject));
    }
    Ok(answer::empty(201, &headers))
}

/// The media types of manifests, and whether each is an index.
const MEDIA_TYPES: [(&str, bool); 4] = [
    ("application/vnd.oci.image.manifest.v1+json", false),
    ("application/vnd.oci.image.index.v1+json", true),
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        false,
    ),
    (
        "application/vnd.docker.distribution.manifest.list.v2+json",
        true,
    ),
];

/// Why a manifest is refused.
enum Problem {
    Invalid(String),
    /// It names something that is not there, by this digest.
    Unknown(String),
}

impl Problem {
    fn answer(self) -> Answer {
        let (code, message, detail) = match self {
            Self::Invalid(why) => ("MANIFEST_INVALID", "manifest invalid", why),
            Self::Unknown(digest) => ("MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", digest),
        };
        answer::error_with(400, code, message, Some(json!(detail)))
    }
}

fn invalid(why: &str) -> Problem {
    Problem::Invalid(why.to_owned())
}

fn unknown(digest: &str) -> Problem {
    Problem::Unknown(digest.to_owned())
}

/// Refuses a manifest that is none, or that names what is not there. What is refused here Distribution
/// 2.8 refuses too, but for sizes and absent lists, at which it does not look.
fn check(store: &Store, repository: &str, media_type: &str, bytes: &[u8]) -> Result<(), Problem> {
    let document: Value = serde_json::from_slice(bytes).map_err(|_| invalid("not JSON"))?;
    if document["schemaVersion"] != 2 {
        return Err(invalid("unknown schema version"));
    }
    let (_, is_index) = MEDIA_TYPES
        .into_iter()
        .find(|(known, _)| *known == media_type)
        .ok_or_else(|| invalid("unknown media type"))?;
    match &document["mediaType"] {
        // Docker's manifests must name themselves, OCI's need not.
        Value::Null if media_type.starts_with("application/vnd.oci.") => {}
        own if own == media_type => {}
        _ => return Err(invalid("the media type is not that of the request")),
    }
    if is_index {
        if has(&document, "config") || has(&document, "layers") {
            return Err(invalid("an index with a configuration or layers"));
        }
        return children_exist(store, repository, list(&document, "manifests")?);
    }
    if has(&document, "manifests") {
        return Err(invalid("an image manifest with manifests"));
    }
    if !document["config"].is_object() {
        return Err(invalid("the configuration is no descriptor"));
    }
    let layers = list(&document, "layers")?;
    blob_exists(store, repository, &document["config"])?;
    for layer in layers {
        let elsewhere = layer["urls"]
            .as_array()
            .is_some_and(|urls| !urls.is_empty());
        if !elsewhere || !is_non_distributable(layer) {
            blob_exists(store, repository, layer)?;
        }
    }
    Ok(())
}

fn has(document: &Value, member: &str) -> bool {
    !document[member].is_null()
}

fn list<'a>(document: &'a Value, member: &str) -> Result<&'a [Value], Problem> {
    let list = document[member].as_array();
    list.map(Vec::as_slice)
        .ok_or_else(|| invalid(&format!("{member} is no list")))
}

fn children_exist(store: &Store, repository: &str, children: &[Value]) -> Result<(), Problem> {
    for child in children {
        let digest = child["digest"].as_str().unwrap_or_default();
        // By digest only: a child cannot be named by a tag.
        let child_manifest = store
            .manifest(repository, digest)
            .filter(|manifest| manifest.digest == digest);
        let size = child_manifest.map(|manifest| manifest.bytes.len() as u64);
        if size.is_none() || size != child["size"].as_u64() {
            return Err(unknown(digest));
        }
    }
    Ok(())
}

fn blob_exists(store: &Store, repository: &str, blob: &Value) -> Result<(), Problem> {
    let digest = blob["digest"].as_str().unwrap_or_default();
    let size = store.blob_size(repository, digest);
    if size.is_none() || size != blob["size"].as_u64() {
        return Err(unknown(digest));
    }
    Ok(())
}

/// Layers that registries are not meant to hold
/// (<https://github.com/opencontainers/image-spec/blob/main/layer.md#non-distributable-layers>).
fn is_non_distributable(layer: &Value) -> bool {
    let media_type = layer["mediaType"].as_str().unwrap_or_default();
    media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
        || media_type == "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
}

/// The list of tags, in pages if asked.
pub(crate) fn tags(call: &Call<'_>) -> Answer {
    let repository = &call.target.repository;
    let store = call.shared.store();
    let refusal = call.shared.refusal(repository);
    let is_package = refusal.is_some_and(|refusal| refusal.is_of_package());
    if !store.has_repository(repository) && !is_package {
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
