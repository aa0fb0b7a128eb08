//! Uploads that break, and go on.

use std::time::Duration;

use oci_push::UploadMode;
use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{
    MIB, PASSWORD, Source, USERNAME, assert_published, options, push, push_leaping,
};

fn chunked() -> oci_push::PushOptions {
    let mut options = options();
    options.upload_mode = UploadMode::Chunked;
    options.chunk_size = Some(MIB);
    options
}

#[test]
fn a_stream_that_is_reset_is_sent_again_in_a_new_session() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::Reset)
            .on(Route::UploadCommit)
            .at(Phase::AfterBodyBytes(5 * MIB))
            .once(),
    );
    let pushed = push(&registry, &source, options());
    assert_published(&registry, &source);
    assert_eq!(pushed.retries.len(), 1, "{:?}", pushed.retries);
    assert!(
        pushed.retries[0].starts_with("upload-blob 1: "),
        "{:?}",
        pushed.retries
    );
    assert_eq!(pushed.interruptions, [0], "all of it is lost");
    let journal = registry.journal();
    assert_eq!(journal.uploads_of(source.sample.largest()).commits, 2);
    assert!(journal.blob_bytes() < source.sample.blob_bytes() * 2);
    assert_eq!(pushed.report().retries, 1);
}

#[test]
fn a_stalled_registry_is_left() {
    let registry = TestRegistry::start(Options::default());
    // More than the socket buffers of both sides hold, so that the writer feels it.
    let source = Source::new(&SampleImage::of_layers(&[40 * MIB]));
    registry.fail(
        Fault::new(Action::Stall)
            .on(Route::UploadCommit)
            .at(Phase::AfterBodyBytes(MIB))
            .once(),
    );
    let mut options = options();
    options.http.stall_timeout = Duration::from_millis(300);
    let pushed = push(&registry, &source, options);
    assert_published(&registry, &source);
    assert!(
        pushed.retries[0].contains("no byte was accepted"),
        "{:?}",
        pushed.retries
    );
}

/// The registry has stored the blob, and its answer is lost: the blob is looked for, never sent twice.
#[test]
fn a_lost_confirmation_costs_no_second_upload() {
    for action in [
        Action::Reset,
        Action::Close,
        Action::error(
            404,
            "BLOB_UPLOAD_UNKNOWN",
            "blob upload unknown to registry",
        ),
        Action::error(502, "UNKNOWN", "bad gateway"),
    ] {
        let registry = TestRegistry::start(Options::default());
        let source = Source::ten_mib();
        registry.fail(
            Fault::new(action.clone())
                .on(Route::UploadCommit)
                .at(Phase::AfterState)
                .once(),
        );
        push(&registry, &source, options()).report();
        assert_published(&registry, &source);
        let journal = registry.journal();
        assert_eq!(
            journal.blob_bytes(),
            source.sample.blob_bytes(),
            "{action:?}"
        );
        assert_eq!(
            journal.count(Route::UploadCommit),
            source.sample.blobs.len(),
            "{action:?}"
        );
    }
}

/// The registry has lost the blob at the commit: it is looked for, then sent in a new session, never
/// committed twice in one.
#[test]
fn a_lost_commit_is_followed_by_a_new_session() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::error(
            404,
            "BLOB_UNKNOWN",
            "blob unknown to registry",
        ))
        .on(Route::UploadCommit)
        .at(Phase::BeforeState)
        .once(),
    );
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
    let journal = registry.journal();
    let mut sessions: Vec<&str> = journal
        .of(Route::UploadCommit)
        .map(|e| e.path.as_str())
        .collect();
    let commits = sessions.len();
    sessions.sort_unstable();
    sessions.dedup();
    assert_eq!(sessions.len(), commits, "each session is closed once");
}

#[test]
fn a_broken_chunk_is_resumed_where_the_session_stands() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::Reset)
            .on(Route::UploadChunk)
            .at(Phase::AfterBodyBytes(MIB / 2))
            .from_request(4)
            .once(),
    );
    let pushed = push(&registry, &source, chunked());
    assert_published(&registry, &source);
    let journal = registry.journal();
    assert_eq!(journal.count(Route::UploadStatus), 1);
    assert_eq!(
        journal.count(Route::UploadStart),
        source.sample.blobs.len(),
        "the same session"
    );
    assert_eq!(
        journal.blob_bytes(),
        source.sample.blob_bytes(),
        "not one byte twice"
    );
    assert_eq!(pushed.retries.len(), 1, "{:?}", pushed.retries);
    assert_eq!(pushed.interruptions, [3 * MIB], "three chunks are there");
}

/// With state in the session's address, as Distribution has it, a broken chunk is the session's end: the
/// status answers 404, and the blob goes up in a new session.
#[test]
fn a_broken_chunk_without_a_session_to_resume_starts_a_new_one() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::Reset)
            .on(Route::UploadChunk)
            .at(Phase::AfterBodyBytes(MIB / 2))
            .from_request(4)
            .once(),
    );
    let pushed = push(&registry, &source, chunked());
    assert_published(&registry, &source);
    assert_eq!(
        pushed.interruptions,
        [3 * MIB, 0],
        "first the chunk, then the session"
    );
    let journal = registry.journal();
    let statuses: Vec<_> = journal.of(Route::UploadStatus).map(|e| e.status).collect();
    assert_eq!(statuses, [Some(404)]);
    assert_eq!(
        journal.count(Route::UploadStart),
        source.sample.blobs.len() + 1
    );
    assert_eq!(
        journal.blob_bytes(),
        source.sample.blob_bytes() + 3 * MIB + MIB / 2,
        "the whole blob again, and nothing more"
    );
}

#[test]
fn a_chunk_whose_confirmation_is_lost_is_not_sent_again() {
    // Where the session keeps its address; with state in the address it is lost with the answer.
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::error(503, "UNAVAILABLE", "later"))
            .on(Route::UploadChunk)
            .at(Phase::AfterState)
            .from_request(2)
            .once(),
    );
    push(&registry, &source, chunked()).report();
    assert_published(&registry, &source);
    assert_eq!(registry.journal().blob_bytes(), source.sample.blob_bytes());
}

#[test]
fn a_session_that_is_gone_is_replaced() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::error(
            404,
            "BLOB_UPLOAD_UNKNOWN",
            "blob upload unknown to registry",
        ))
        .on(Route::UploadChunk)
        .at(Phase::BeforeState)
        .from_request(6)
        .once(),
    );
    push(&registry, &source, chunked()).report();
    assert_published(&registry, &source);
    assert_eq!(
        registry.journal().count(Route::UploadStart),
        source.sample.blobs.len() + 1
    );
}

#[test]
fn a_body_that_is_too_large_is_cut_into_chunks() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let page = Action::answer(
        413,
        &[("content-type", "text/html")],
        "<html>413 Request Entity Too Large</html>",
    );
    let too_large = Fault::new(page).on(Route::UploadCommit).body_over(9 * MIB);
    registry.fail(too_large.at(Phase::BeforeState));
    let pushed = push(&registry, &source, options());
    assert_published(&registry, &source);
    assert!(
        pushed.retries.is_empty(),
        "no try is spent: {:?}",
        pushed.retries
    );
    assert!(registry.journal().count(Route::UploadChunk) > 0);
}

#[test]
fn a_registry_that_found_other_bytes_gets_them_again() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::error(
            400,
            "DIGEST_INVALID",
            "provided digest did not match uploaded content",
        ))
        .on(Route::UploadCommit)
        .at(Phase::BeforeState)
        .once(),
    );
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
}

/// Sessions for one blob until the time is over, one more for the registry's words, if it had any, and then the failure.
#[test]
fn it_ends_when_nothing_helps() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::ten_mib();
    let blobs = source.sample.blobs.len();
    registry.fail(
        Fault::new(Action::Reset)
            .on(Route::UploadCommit)
            .at(Phase::AfterBodyBytes(MIB)),
    );
    let mut options = options();
    options.upload_mode = UploadMode::Stream;
    let pushed = push_leaping(&registry, &source, options);
    let failure = pushed.failure();
    assert!(matches!(failure.last(), oci_push::Failure::Unanswered(_)));
    let journal = registry.journal();
    let commits = journal.uploads_of(source.sample.largest()).commits;
    assert!((6..50).contains(&commits), "{commits}");
    assert_eq!(pushed.retries.len(), commits - 1, "{:?}", pushed.retries);
    assert_eq!(journal.count(Route::UploadStart), commits + blobs);
    // The tag, every blob, the sessions with their closing requests, and nothing else.
    let uploads = 2 * (commits + blobs - 1);
    assert_eq!(journal.exchanges.len(), 2 + blobs + uploads);
    assert!(journal.blob_bytes() <= 4 * source.sample.blob_bytes());
    crate::support::assert_unpublished(&registry);
}

#[test]
fn an_empty_blob_is_a_blob() {
    let registry = TestRegistry::start(Options::default());
    // Not a tar file, but nobody says that a layer is one.
    let mut image = tempfile::NamedTempFile::new().expect("a file");
    write_layout_with_empty_layer(image.as_file_mut());
    let opened = crate::support::open(image.path());
    assert_eq!(opened.blobs()[1].descriptor.size, 0);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let keychain = std::sync::Arc::new(oci_push::FixedKeychain(None));
    let pusher = oci_push::Pusher::new(options(), keychain, std::sync::Arc::new(oci_push::Silent));
    let reference = format!("{}/owner/app:1", registry.host())
        .parse()
        .expect("a reference");
    let pusher = pusher.expect("a client");
    runtime
        .block_on(pusher.push(&opened, &[reference]))
        .expect("pushed");
    let digest = opened.blobs()[1].descriptor.digest.to_string();
    assert_eq!(
        registry.blob("owner/app", &digest).expect("stored").len(),
        0
    );
}

fn write_layout_with_empty_layer(file: &mut std::fs::File) {
    use oci_archive::{Algorithm, Digest};
    use serde_json::json;

    let mut tar = tar::Builder::new(file);
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.append_data(&mut header, name, bytes).expect("writable");
    };
    let mut blob = |bytes: &[u8]| {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        add(&format!("blobs/sha256/{}", digest.hex()), bytes);
        json!({ "digest": digest.to_string(), "size": bytes.len(), "mediaType": "application/octet-stream" })
    };
    let config = blob(b"{}");
    let layer = blob(b"");
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer] });
    let mut root = blob(manifest.to_string().as_bytes());
    root["mediaType"] = json!(media_type);
    add(
        "index.json",
        json!({ "schemaVersion": 2, "manifests": [root] })
            .to_string()
            .as_bytes(),
    );
    add("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
}

/// A chunk over the registry's limit is followed by smaller ones in the same session.
#[test]
fn a_chunk_that_is_too_large_costs_no_session() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let source = Source::ten_mib();
    let mut options = options();
    options.upload_mode = UploadMode::Chunked;
    options.chunk_size = Some(6 * MIB);
    let pushed = push(&registry, &source, options);
    assert_published(&registry, &source);
    assert_eq!(pushed.retries, [""; 0]);
    let journal = registry.journal();
    assert_eq!(journal.count(Route::UploadStart), 2, "one for each blob");
    let refused = journal
        .of(Route::UploadChunk)
        .filter(|one| one.status == Some(416));
    assert_eq!(refused.count(), 1);
}
