use std::io;
use std::sync::Arc;

use bytes::Bytes;
use oci_archive::{Algorithm, Blob, BlobSource, Descriptor, Digest};

use super::{BlobBody, FRAME, Verifier};
use crate::failure::BlobFault;

/// A blob of `content` that claims to be `claimed`.
fn verifier(content: &[u8], claimed: &[u8]) -> Arc<Verifier> {
    let descriptor: Descriptor = serde_json::from_value(serde_json::json!({
        "mediaType": "application/octet-stream",
        "digest": Digest::of(Algorithm::Sha256, claimed).to_string(),
        "size": claimed.len(),
    }))
    .expect("a descriptor");
    let source = BlobSource::from_bytes(Bytes::copy_from_slice(content));
    Arc::new(Verifier::new(Blob::new(descriptor, source)))
}

/// Reads a range of the blob as a connection would: what came through, and whether it ended well.
fn send(verifier: &Arc<Verifier>, offset: usize, length: usize) -> (Vec<u8>, io::Result<()>) {
    let body = BlobBody::new(
        Arc::clone(verifier),
        offset as u64,
        length as u64,
        Arc::new(|_| {}),
    );
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut sent = Vec::new();
        let mut frames = body.frames();
        while let Some(frame) = frames.recv().await {
            match frame {
                Ok(frame) => sent.extend_from_slice(&frame),
                Err(error) => return (sent, Err(error)),
            }
        }
        (sent, Ok(()))
    })
}

fn content() -> Vec<u8> {
    (0..3 * FRAME + 17)
        .map(|position| u8::try_from(position % 251).expect("small"))
        .collect()
}

#[test]
fn what_is_right_comes_through_as_often_as_it_is_asked_for() {
    let content = content();
    let verifier = verifier(&content, &content);
    for (offset, length) in [
        (0, content.len()),
        (0, content.len()),
        (FRAME + 5, 100),
        (content.len() - 1, 1),
    ] {
        let (sent, end) = send(&verifier, offset, length);
        assert!(end.is_ok());
        assert_eq!(sent, content[offset..offset + length]);
    }
    assert!(verifier.take_fault().is_none());
}

/// The frame that would complete the blob is withheld, then and ever after.
#[test]
fn what_is_wrong_is_never_complete() {
    let content = content();
    let mut claimed = content.clone();
    claimed[0] ^= 1;
    let verifier = verifier(&content, &claimed);
    let (sent, end) = send(&verifier, 0, content.len());
    assert!(end.is_err());
    assert!(sent.len() <= 3 * FRAME, "the last frame stayed here");
    let fault = verifier.take_fault();
    assert!(
        matches!(fault, Some(BlobFault::DigestMismatch { .. })),
        "{fault:?}"
    );
    let (sent, end) = send(&verifier, 3 * FRAME, 17);
    assert!(
        sent.is_empty() && end.is_err(),
        "nor does it come through by itself"
    );
}

/// A range that begins where nothing was read yet: what comes before is hashed all the same.
#[test]
fn what_was_sent_earlier_is_hashed_too() {
    let content = content();
    let good = verifier(&content, &content);
    let (_, end) = send(&good, 2 * FRAME, FRAME + 17);
    assert!(end.is_ok());
    let mut claimed = content.clone();
    claimed[5] ^= 1;
    let bad = verifier(&content, &claimed);
    let (_, end) = send(&bad, 2 * FRAME, FRAME + 17);
    assert!(end.is_err());
}

#[test]
fn a_source_that_became_shorter_is_told() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let claimed = content();
    let descriptor = verifier(&claimed, &claimed).blob.descriptor.clone();
    let source = BlobSource::from_path(file.path().to_owned(), claimed.len() as u64);
    let verifier = Arc::new(Verifier::new(Blob::new(descriptor, source)));
    let (_, end) = send(&verifier, 0, claimed.len());
    assert!(end.is_err());
    assert!(matches!(verifier.take_fault(), Some(BlobFault::Read(_))));
}

#[test]
fn an_empty_blob_is_checked_without_a_frame() {
    assert!(verifier(b"", b"").check_empty().is_ok());
}

/// A file that has changed before a second session is found out, though the first one had hashed it.
#[test]
fn a_new_session_is_hashed_anew() {
    let content = content();
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("blob");
    std::fs::write(&path, &content).expect("writable");
    let descriptor = verifier(&content, &content).blob.descriptor.clone();
    let source = BlobSource::from_path(path.clone(), content.len() as u64);
    let verifier = Arc::new(Verifier::new(Blob::new(descriptor, source)));
    let (_, end) = send(&verifier, 0, content.len());
    assert!(end.is_ok());
    let mut changed = content.clone();
    changed[5] ^= 1;
    std::fs::write(&path, &changed).expect("writable");
    verifier.start_over();
    let (sent, end) = send(&verifier, 0, content.len());
    assert!(end.is_err());
    assert!(sent.len() < content.len());
}

/// A reader of a session that is over may still be reading when the next one begins.
#[test]
fn a_reader_that_is_late_disturbs_nobody() {
    let content = content();
    let verifier = verifier(&content, &content);
    let frame = |number: usize| &content[number * FRAME..(number + 1) * FRAME];
    verifier.pass(0, frame(0)).expect("it is right");
    verifier.start_over();
    // What the former session had read next.
    assert!(verifier.pass(FRAME as u64, frame(1)).is_err());
    assert!(verifier.catch_up(0).is_ok());
    let (sent, end) = send(&verifier, 0, content.len());
    assert!(end.is_ok());
    assert_eq!(sent, content);
    assert!(verifier.take_fault().is_none());
}
