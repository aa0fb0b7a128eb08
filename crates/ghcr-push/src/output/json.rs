//! The result as one JSON object. The names are the contract's (`docs/usage.md`).

use oci_push::PushReport;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::settled::{self, Settled};

/// A push that succeeded.
pub(super) fn success(report: &PushReport) -> Value {
    let image = report.image.as_ref();
    json!({
        "schemaVersion": 1,
        "status": "pushed",
        "digest": image.map(|image| image.digest.to_string()),
        "mediaType": image.map(|image| image.media_type.as_str()),
        "size": image.map(|image| image.size),
        "platforms": image.map(|image| image.platforms.as_slice()).unwrap_or_default(),
        "configDigest": image
            .and_then(|image| image.config_digest.as_ref())
            .map(ToString::to_string),
        "references": references(&settled::of_report(report)),
        "blobs": {
            "total": report.blobs.total,
            "uploaded": report.blobs.uploaded,
            "existing": report.blobs.existing,
            "mounted": report.blobs.mounted,
            "bytesTotal": report.blobs.bytes_total,
            "bytesUploaded": report.blobs.bytes_uploaded,
        },
        "requests": report.requests,
        "retries": report.retries,
        "durationMs": u64::try_from(report.duration.as_millis()).unwrap_or(u64::MAX),
    })
}

/// A push that succeeded, in the words of `docker buildx build --metadata-file` beside this program's own
/// (<https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file>). As there, an index has no
/// configuration, and so no key for its digest.
pub(super) fn metadata(report: &PushReport) -> Value {
    let mut value = success(report);
    let Some(image) = &report.image else {
        return value;
    };
    let names: Vec<String> = report
        .references
        .iter()
        .map(|entry| entry.reference.to_string())
        .collect();
    if let Some(config_digest) = &image.config_digest {
        value["containerimage.config.digest"] = json!(config_digest.to_string());
    }
    value["containerimage.descriptor"] = json!({
        "mediaType": image.media_type,
        "digest": image.digest.to_string(),
        "size": image.size,
    });
    value["containerimage.digest"] = json!(image.digest.to_string());
    value["image.name"] = json!(names.join(","));
    value
}

/// A push that failed, with what was published all the same.
pub(crate) fn failure(error: &CliError, settled: &[Settled]) -> Value {
    let rejection = error.rejection.as_deref();
    let request = error.request.as_ref();
    let target = request.and_then(|request| request.target.as_ref());
    let first = rejection.and_then(|rejection| rejection.errors.first());
    json!({
        "schemaVersion": 1,
        "status": "failed",
        "exitCode": error.kind.code(),
        "error": {
            "kind": error.kind.as_str(),
            "step": request.map(|request| request.step.as_str()),
            "method": target.map(|(method, _)| method),
            "url": target.map(|(_, url)| url),
            "status": rejection.map(|rejection| rejection.status.as_u16()),
            "code": first.map(|error| error.code.as_str()),
            "message": first.map_or(error.message.as_str(), |error| error.message.as_str()),
            "requestId": rejection.and_then(|rejection| rejection.request_id.as_deref()),
            "chain": std::iter::once(&error.message).chain(&error.causes).collect::<Vec<_>>(),
        },
        "diagnosis": error.diagnosis,
        "references": references(settled),
    })
}

fn references(settled: &[Settled]) -> Vec<Value> {
    let value = |entry: &Settled| {
        let mut value = json!({
            "reference": entry.reference,
            "digest": entry.digest,
            "status": entry.status.as_str(),
            "previousDigest": entry.previous,
        });
        if let Some(shown) = &entry.shown {
            let digest = shown.digest().to_string();
            value["shown"] = json!({ "state": shown.as_str(), "digest": digest });
        }
        value
    };
    settled.iter().map(value).collect()
}
