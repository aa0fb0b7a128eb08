//! Registries with ways of their own: every one of them gets the image, in both modes, and learns nobody the
//! same lesson twice.

use oci_push::{Profile, UploadMode};
use test_registry::{Options, Personality, Route, SampleImage, TestRegistry};

use crate::support::{MIB, Source, assert_published, options, push};

fn registry(personality: Personality) -> TestRegistry {
    let mut options = Options::default();
    options.personality = personality;
    TestRegistry::start(options)
}

/// Not even a profile is needed: the answers tell.
#[test]
fn all_are_pushed_to() {
    let source = Source::new(&SampleImage::of_layers(&[30 * MIB, 22 * MIB, 5000]));
    for personality in Personality::ALL {
        for mode in [UploadMode::Auto, UploadMode::Chunked] {
            let registry = registry(personality);
            let mut options = options();
            options.upload_mode = mode;
            let pushed = push(&registry, &source, options);
            let name = format!("{personality:?} {mode:?}");
            if let Err(error) = &pushed.result {
                panic!("{name}: {error:?}");
            }
            assert_published(&registry, &source);
            let sent = registry.journal().blob_bytes();
            let size = source.sample.blob_bytes();
            assert!(sent <= 3 * size, "{name}: {sent} for {size}");
        }
    }
}

/// What is known of a registry need not be found out.
#[test]
fn what_is_known_is_not_tried() {
    let source = Source::new(&SampleImage::of_layers(&[12 * MIB]));
    for (personality, profile, refused) in [
        (Personality::Gar, Profile::Gar, Route::UploadChunk),
        (Personality::Ecr, Profile::Ecr, Route::Other),
    ] {
        let registry = registry(personality);
        let mut options = options();
        options.upload_mode = UploadMode::Chunked;
        options.profile = Some(profile);
        options.chunk_size = Some(4 * MIB);
        push(&registry, &source, options).report();
        assert_published(&registry, &source);
        let journal = registry.journal();
        assert_eq!(
            journal.blob_bytes(),
            source.sample.blob_bytes(),
            "{personality:?}"
        );
        assert_eq!(journal.count(refused), 0, "{personality:?}");
    }
}

/// The range that Amazon's answers name is no statement of what has arrived.
#[test]
fn a_range_that_stays() {
    let registry = registry(Personality::Ecr);
    let source = Source::new(&SampleImage::of_layers(&[24 * MIB]));
    let mut options = options();
    options.upload_mode = UploadMode::Chunked;
    options.chunk_size = Some(6 * MIB);
    let pushed = push(&registry, &source, options);
    assert_published(&registry, &source);
    assert_eq!(pushed.retries, [""; 0]);
    assert_eq!(registry.journal().count(Route::UploadChunk), 4);
}
