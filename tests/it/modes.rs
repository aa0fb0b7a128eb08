//! Both upload modes against a registry that behaves as ghcr.io does.

use std::time::Duration;

use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{Image, Run, TOKEN, USERNAME, push};

const MIB: u64 = 1024 * 1024;

fn registry() -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, TOKEN))
}

fn reference(registry: &TestRegistry) -> String {
    format!("{}/owner/app:1", registry.host())
}

/// Tells the binary what it knows of ghcr.io by its name.
fn push_to_ghcr(image: &Image, registry: &TestRegistry, arguments: &[&str]) -> Run {
    let reference = reference(registry);
    let mut all = vec!["--registry-profile", "ghcr"];
    all.extend(arguments);
    all.extend(["image.tar", &reference]);
    push(image, &all)
}

#[track_caller]
fn assert_published(registry: &TestRegistry, image: &Image) {
    for (digest, bytes) in &image.sample.manifests {
        let stored = registry
            .manifest("owner/app", digest)
            .expect("the manifest is stored");
        assert_eq!(stored.bytes, *bytes, "byte for byte");
    }
    for (digest, size) in &image.sample.blobs {
        let stored = registry
            .blob("owner/app", digest)
            .expect("the blob is stored");
        assert_eq!(stored.len() as u64, *size);
    }
    let tag = registry.manifest("owner/app", "1").expect("the tag is set");
    assert_eq!(tag.digest, image.sample.digest);
}

#[test]
fn streamed() {
    let registry = registry();
    let image = Image::new(&SampleImage::of_layers(&[50 * MIB, 100]));
    push(
        &image,
        &[
            "--upload-mode",
            "stream",
            "image.tar",
            &reference(&registry),
        ],
    )
    .assert_code(0);
    assert_published(&registry, &image);
    let journal = registry.journal();
    let blobs = image.sample.blobs.len();
    assert_eq!(
        journal.count(Route::UploadStart),
        blobs,
        "one session a blob"
    );
    assert_eq!(journal.count(Route::UploadChunk), 0);
    let mut ranges = journal.exchanges.iter().map(|e| &e.content_range);
    assert!(
        ranges.all(Option::is_none),
        "or ghcr.io would refuse what is over 4 MiB"
    );
    assert_eq!(journal.count(Route::UploadCommit), blobs);
    assert_eq!(
        journal.mutating(),
        2 * blobs + 1,
        "two requests a blob, and the manifest"
    );
    assert_eq!(
        journal.blob_bytes(),
        image.sample.blob_bytes(),
        "each blob once"
    );
    assert_eq!(journal.count(Route::Token), 1);
}

#[test]
fn chunked() {
    let registry = registry();
    let image = Image::new(&SampleImage::of_layers(&[50 * MIB, 100]));
    push_to_ghcr(&image, &registry, &["--upload-mode", "chunked"]).assert_code(0);
    assert_published(&registry, &image);
    let journal = registry.journal();
    assert_eq!(journal.largest_ranged_body(), 4 * MIB);
    // 50 MiB and the layer's tar header: twelve full chunks, and the rest in the closing request.
    assert_eq!(journal.count(Route::UploadChunk), 12);
    assert_eq!(
        journal.blob_bytes(),
        image.sample.blob_bytes(),
        "each blob once"
    );
    assert_eq!(journal.uploads_of(image.sample.largest()).commits, 1);
    // The closing request says where the rest belongs; what fits into one chunk is a stream, without.
    let largest = image.sample.blobs.iter().map(|(_, size)| *size).max();
    let rest = format!("{}-{}", 48 * MIB, largest.expect("a blob") - 1);
    for commit in journal.of(Route::UploadCommit) {
        let is_largest = commit.digest.as_deref() == Some(image.sample.largest());
        let expected = is_largest.then_some(rest.as_str());
        assert_eq!(commit.content_range.as_deref(), expected);
    }
}

#[test]
fn a_chunk_size_means_chunks_and_stays_below_the_cap() {
    let registry = registry();
    let image = Image::new(&SampleImage::of_layers(&[9 * MIB]));
    push_to_ghcr(&image, &registry, &["--chunk-size", "100MiB"]).assert_code(0);
    assert_published(&registry, &image);
    assert_eq!(registry.journal().largest_ranged_body(), 4 * MIB);
}

/// The cap is met without being known: one chunk is refused, the smaller ones that follow are not, and
/// no try is spent on it.
#[test]
fn the_cap_is_learned_from_a_refusal() {
    let registry = registry();
    let image = Image::new(&SampleImage::of_layers(&[20 * MIB]));
    let run = push(
        &image,
        &[
            "--upload-mode",
            "chunked",
            "--retry",
            "1",
            "image.tar",
            &reference(&registry),
        ],
    );
    run.assert_code(0);
    assert_published(&registry, &image);
    let journal = registry.journal();
    let refused = journal
        .of(Route::UploadChunk)
        .filter(|chunk| chunk.status == Some(416));
    assert_eq!(refused.count(), 1);
    assert_eq!(journal.uploads_of(image.sample.largest()).commits, 1);
}

#[test]
fn several_platforms_children_before_the_index_before_the_tag() {
    let registry = registry();
    let image = Image::new(
        &SampleImage::default()
            .platform("amd64", &[5000, 6000])
            .platform("arm64", &[5000, 7000]),
    );
    push(&image, &["image.tar", &reference(&registry)]).assert_code(0);
    assert_published(&registry, &image);
    let journal = registry.journal();
    let puts: Vec<&str> = journal
        .of(Route::ManifestPut)
        .map(|exchange| exchange.path.as_str())
        .collect();
    assert_eq!(puts.len(), 3);
    assert_eq!(puts[2], "/v2/owner/app/manifests/1", "the tag comes last");
    let first_put = journal
        .exchanges
        .iter()
        .position(|e| e.route == Route::ManifestPut);
    let last_commit = journal
        .exchanges
        .iter()
        .rposition(|e| e.route == Route::UploadCommit);
    assert!(first_put > last_commit, "blobs come before manifests");
    assert_eq!(image.sample.blobs.len(), 5, "the shared layer is one blob");
    assert_eq!(journal.count(Route::UploadCommit), 5);
}

#[test]
fn a_second_push_sends_no_blob_byte() {
    let registry = registry();
    let image = Image::small();
    push_to_ghcr(&image, &registry, &[]).assert_code(0);
    registry.clear_journal();

    push_to_ghcr(&image, &registry, &[]).assert_code(0);
    let journal = registry.journal();
    assert_eq!(journal.mutating(), 0);
    assert_eq!(
        journal.exchanges.len(),
        2,
        "a token, and one look at the tag"
    );

    registry.clear_journal();
    let other_tag = format!("{}/owner/app:2", registry.host());
    push(&image, &["image.tar", &other_tag]).assert_code(0);
    let journal = registry.journal();
    assert_eq!(journal.blob_bytes(), 0);
    assert_eq!(journal.mutating(), 1, "only the tag");
}

#[test]
fn blobs_go_up_once_for_all_tags_and_repositories() {
    let registry = registry();
    let image = Image::small();
    let host = registry.host();
    let run = push(
        &image,
        &[
            "-t",
            "c",
            "image.tar",
            &format!("{host}/owner/app:a,b"),
            &format!("{host}/owner/other:a"),
        ],
    );
    run.assert_code(0);
    let digest = &image.sample.digest;
    assert_eq!(
        run.stdout,
        ["app:a", "app:b", "other:a", "app:c", "other:c"]
            .map(|name| format!("{host}/owner/{name}@{digest}\n"))
            .concat()
    );
    assert_eq!(registry.tags("owner/app"), ["a", "b", "c"]);
    assert_eq!(registry.tags("owner/other"), ["a", "c"]);
    let journal = registry.journal();
    let blobs = image.sample.blobs.len();
    assert_eq!(journal.count(Route::UploadCommit), blobs);
    assert_eq!(journal.count(Route::UploadMount), blobs);
}

/// The registry stops after each body's first byte. Until it goes on, no body can have left: each is larger
/// than what it and the sockets take of it unread.
#[test]
fn jobs_bound_the_bodies_in_flight() {
    let image = Image::new(&SampleImage::of_layers(&[12 * MIB; 6]));
    let pause = Duration::from_secs(2);
    for jobs in [1, 3] {
        let registry = registry();
        registry.fail(
            Fault::new(Action::Delay(pause))
                .on(Route::UploadCommit)
                .body_over(MIB)
                .at(Phase::AfterBodyBytes(1))
                .times(jobs),
        );
        let reference = reference(&registry);
        push(
            &image,
            &["--jobs", &jobs.to_string(), "image.tar", &reference],
        )
        .assert_code(0);
        assert_published(&registry, &image);
        let journal = registry.journal();
        let began = journal.of(Route::UploadCommit).filter_map(|e| e.body_began);
        let paused = journal.until(began.min().expect("a body") + pause);
        // Small blobs, here the configuration, go beside the large ones.
        let most = paused.most_bodies_in_flight();
        assert!((jobs..=jobs + 1).contains(&most), "{most} for {jobs}");
        assert_eq!(
            journal.count(Route::UploadStart),
            image.sample.blobs.len(),
            "one session a blob"
        );
    }
}
