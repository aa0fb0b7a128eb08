//! Tags that say what they are about.

use super::*;
use crate::digest::Algorithm;

#[test]
fn names_that_are_tags_of_this_kind() {
    let hash = "0".repeat(64);
    let long = "0".repeat(128);
    for (name, expected) in [
        (format!("sha256-{hash}"), Some(false)),
        (format!("sha256-{hash}.sig"), Some(true)),
        (format!("ghcr.io/owner/name:sha256-{hash}.att"), Some(true)),
        (format!("localhost:5000/name:sha256-{hash}"), Some(false)),
        (format!("sha512-{hash}"), Some(false)),
        (format!("sha512-{long}"), Some(false)),
        (format!("sha256-{}", &hash[1..]), None),
        (format!("sha256-{}", "z".repeat(64)), None),
        (format!("sha256:{hash}"), None),
        ("latest".to_owned(), None),
        ("sha256-latest".to_owned(), None),
        (String::new(), None),
    ] {
        let found = FallbackTag::in_name(&name).map(|tag| tag.is_of_one);
        assert_eq!(found, expected, "{name}");
    }
}

/// A tag has at most 128 characters, so that a long hash is cut off.
#[test]
fn the_tag_of_a_digest() {
    let short = Digest::of(Algorithm::Sha256, b"");
    assert_eq!(short.referrers_tag(), format!("sha256-{}", short.hex()));
    let long = Digest::of(Algorithm::Sha512, b"");
    assert_eq!(
        long.referrers_tag(),
        format!("sha512-{}", &long.hex()[..64])
    );
    for digest in [short, long] {
        let tag = digest.referrers_tag();
        let found = FallbackTag::in_name(&tag).expect("a tag of this kind");
        assert_eq!(found.list, tag);
    }
}
