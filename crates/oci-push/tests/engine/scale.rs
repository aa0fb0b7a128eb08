//! Images of a thousand layers, and many pushes at a time.

use std::collections::BTreeSet;

use oci_push::Shown;
use test_registry::{Options, Route, SampleImage, TestRegistry};

use crate::support::push_leaping;
use crate::support::{PASSWORD, Source, USERNAME, assert_published, options};

/// Each distinct blob goes up once, over few connections.
#[test]
fn a_thousand_layers() {
    // The size tells layers apart at one position, and the position at one size; two platforms share
    // what is equal in both.
    let first: Vec<u64> = (0..500).map(|number| 100 + number).collect();
    let second: Vec<u64> = (0..500)
        .map(|number| {
            if number < 100 {
                100 + number
            } else {
                1000 + number
            }
        })
        .collect();
    let image = SampleImage::default()
        .platform("amd64", &first)
        .platform("arm64", &second);
    let source = Source::new(&image);
    assert_eq!(source.sample.blobs.len(), 900 + 2);
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let pushed = push_leaping(&registry, &source, options());
    assert_eq!(pushed.report().blobs.uploaded, 902);
    assert_published(&registry, &source);
    let journal = registry.journal();
    for (digest, _) in &source.sample.blobs {
        assert_eq!(journal.uploads_of(digest).commits, 1);
    }
    assert!(journal.connections() <= 64, "{}", journal.connections());
    assert_eq!(journal.count(Route::Token), 1);
    // Three requests a blob, one a manifest; the challenge, the token, and the tag before and after.
    let requests = journal.exchanges.len();
    assert!(requests <= 3 * 902 + 3 + 4, "{requests}");
}

/// All succeed, and whoever comes last has the tag.
#[test]
fn eight_pushes_to_one_tag() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, PASSWORD));
    let sources: Vec<Source> = (0..8)
        .map(|seed| {
            // The second layer is in all of them.
            Source::new(&SampleImage::of_layers(&[100_000 + seed, 200_000]))
        })
        .collect();
    let outcomes: Vec<bool> = std::thread::scope(|scope| {
        let pushes: Vec<_> = sources
            .iter()
            .map(|source| {
                let registry = &registry;
                scope.spawn(move || {
                    let pushed = push_leaping(registry, source, options());
                    let shown = pushed.report().references[0].shown.clone();
                    // What the tag names afterwards may be another's by then.
                    assert!(matches!(shown, None | Some(Shown::Other(_))), "{shown:?}");
                    assert_eq!(pushed.retries, [""; 0]);
                    true
                })
            })
            .collect();
        pushes
            .into_iter()
            .map(|push| push.join().expect("no panic"))
            .collect()
    });
    assert_eq!(outcomes, [true; 8]);
    let tag = registry.manifest("owner/app", "1").expect("the tag is set");
    let digests: BTreeSet<&str> = sources
        .iter()
        .map(|one| one.sample.digest.as_str())
        .collect();
    assert!(digests.contains(tag.digest.as_str()));
    for source in &sources {
        for (digest, _) in &source.sample.blobs {
            assert!(registry.blob("owner/app", digest).is_some(), "{digest}");
        }
    }
}
