//! The registry does not take what was sent, or lost it: no matter of permissions.
//!
//! A blob that was just stored may be gone or not be seen yet
//! (<https://github.com/docker/build-push-action/issues/271>,
//! <https://github.com/GoogleContainerTools/jib/issues/4301>). A chunk that is sent with its range may have
//! 4 `MiB` (<https://github.com/oras-project/rust-oci-client/issues/35>), a layer 10 GB.

use oci_push::Step;

use crate::case::Case;
use crate::diagnosis::{Cause, Code, Diagnosis, Likelihood};
use crate::evidence::Trouble;

/// The documentation says 10 GB and not which kind; this is the smaller
/// (<https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry#troubleshooting>).
const LARGEST_LAYER: u64 = 10_000_000_000;

pub(super) fn diagnose(case: &Case) -> Option<Diagnosis> {
    chunk(case)
        .or_else(|| layer(case))
        .or_else(|| digest(case))
        .or_else(|| lost(case))
        .or_else(|| manifest(case))
}

fn one(case: &Case, code: Code, likelihood: Likelihood, why: &str, remedy: &str) -> Cause {
    let mut evidence = vec![case.words()];
    let details = case.evidence.errors.iter();
    evidence.extend(
        details
            .filter_map(|error| error.detail.as_ref())
            .map(|detail| format!("it named {detail}")),
    );
    Cause {
        code,
        likelihood,
        why: why.to_owned(),
        evidence,
        remedy: remedy.to_owned(),
        url: None,
    }
}

fn chunk(case: &Case) -> Option<Diagnosis> {
    if !case.says("maximum permissible limit") && !case.says("request body is too large") {
        return None;
    }
    let explanation = one(
        case,
        Code::ChunkTooLarge,
        Likelihood::Proven,
        "ghcr.io takes at most 4 MiB in a chunk that is sent with its range",
        "Send the blob in one stream (here: `--upload-mode stream`), or in chunks of at most 4 MiB (`--chunk-size \
         4MiB`, or the like of the tool that pushed). A larger chunk does not help, whatever the tool suggests.",
    );
    Diagnosis::of("a chunk of an upload is too large", vec![explanation])
}

fn layer(case: &Case) -> Option<Diagnosis> {
    let refused = matches!(case.evidence.status, Some(400 | 413));
    let explanation = layer_too_large(case).filter(|_| refused)?;
    Diagnosis::of(
        "a layer is larger than the registry takes",
        vec![explanation],
    )
}

/// The cause that a layer is over the limit, if one is known to be.
pub(super) fn layer_too_large(case: &Case) -> Option<Cause> {
    let size = case
        .context
        .largest_layer
        .filter(|size| *size > LARGEST_LAYER)?;
    let is_upload = matches!(
        case.evidence.step,
        None | Some(Step::StartUpload | Step::UploadBlob | Step::UploadChunk | Step::CommitBlob)
    );
    is_upload.then(|| Cause {
        code: Code::LayerTooLarge,
        likelihood: Likelihood::Likely,
        why: "ghcr.io takes layers of at most 10 GB".to_owned(),
        evidence: vec![
            case.words(),
            format!("the largest layer has {size} bytes"),
        ],
        remedy: "Split the layer: put what it holds into several steps of the Dockerfile, or leave large data out of \
                 the image."
            .to_owned(),
        url: None,
    })
}

fn digest(case: &Case) -> Option<Diagnosis> {
    let named = ["DIGEST_INVALID", "SIZE_INVALID"]
        .iter()
        .any(|code| case.evidence.has_code(code));
    let said = case.says("digest did not match") || case.says("digest invalid");
    if !named && !said && case.evidence.trouble != Some(Trouble::DigestDiffers) {
        return None;
    }
    let explanation = one(
        case,
        Code::DigestMismatch,
        Likelihood::Proven,
        "what the registry received does not hash to the digest that was named: the image changed while it was \
         read, or part of it was sent twice",
        "Push again from a copy of the image that nobody writes to. If it stays, export the image once more; a proxy \
         that changes bodies does this too.",
    );
    Diagnosis::of(
        "the registry received other bytes than were named",
        vec![explanation],
    )
}

fn lost(case: &Case) -> Option<Diagnosis> {
    let is_lookup = matches!(
        case.evidence.step,
        Some(Step::CheckBlob | Step::CheckManifest | Step::Verify)
    );
    let named = [
        "BLOB_UPLOAD_UNKNOWN",
        "MANIFEST_BLOB_UNKNOWN",
        "BLOB_UNKNOWN",
    ]
    .iter()
    .any(|code| case.evidence.has_code(code));
    let said = [
        "unknown blob",
        "blob upload unknown",
        "blob upload invalid",
        "blob unknown to registry",
    ]
    .iter()
    .any(|phrase| case.says(phrase));
    let stored = case.evidence.trouble == Some(Trouble::BlobNotStored);
    // Tools drop the code, and what is not found is the session (https://github.com/GoogleContainerTools/jib/issues/4301).
    let is_upload = matches!(
        case.evidence.step,
        Some(Step::UploadChunk | Step::UploadBlob | Step::CommitBlob | Step::UploadStatus)
    );
    let gone = is_upload && case.evidence.status == Some(404) && case.is_silent();
    if is_lookup || !(named || said || stored || gone) {
        return None;
    }
    // Most uploads that are unknown when they are closed were stored by an earlier answer that was lost
    // (https://github.com/GoogleContainerTools/jib/issues/4301).
    let is_upload =
        case.evidence.has_code("BLOB_UPLOAD_UNKNOWN") || case.says("blob upload unknown");
    let explanation = one(
        case,
        Code::BlobLost,
        if is_upload {
            Likelihood::Likely
        } else {
            Likelihood::Proven
        },
        "the registry lost an upload, or does not see a blob that it confirmed. Permissions are not the matter",
        "Push again: what is there is not sent again, what is missing is. An upload that was answered so may have \
         succeeded all the same.",
    );
    Diagnosis::of("the registry lost a blob", vec![explanation])
}

fn manifest(case: &Case) -> Option<Diagnosis> {
    let named = ["MANIFEST_INVALID", "MANIFEST_UNVERIFIED", "TAG_INVALID"]
        .iter()
        .any(|code| case.evidence.has_code(code));
    let is_manifest = matches!(case.evidence.step, Some(Step::PutManifest | Step::PutTag));
    let said = case.says("manifest invalid")
        || (is_manifest
            && (case.says("invalid_argument") || case.evidence.has_code("UNSUPPORTED")));
    if !named && !said {
        return None;
    }
    let explanation = one(
        case,
        Code::ManifestRejected,
        Likelihood::Proven,
        "the registry does not take the manifest",
        "Look at what the registry named, and at the manifest with `ghcr-push inspect`. ghcr.io takes OCI manifests \
         and Docker's schema 2; an older image has to be built again.",
    );
    Diagnosis::of("the registry refused the manifest", vec![explanation])
}
