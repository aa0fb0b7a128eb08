//! What is about an image and no part of it comes along on request.

use oci_archive::{Notice, OpenOptions};
use serde_json::Value;

use crate::support::{Layout, digest, for_platform, root, text};

fn referrers() -> OpenOptions {
    let mut options = OpenOptions::default();
    options.referrers = true;
    options
}

#[test]
fn what_is_about_the_image_comes_along_when_asked_for() {
    let mut layout = Layout::default();
    let one = for_platform(&layout.image("amd64", &[b"one"]), "linux/amd64");
    let two = layout.image("arm64", &[b"two"]);
    let index = layout.index(&[one.clone(), two]);
    let signature = layout.about(&index, "signature");
    let of_signature = layout.about(&signature, "signature of the signature");
    let of_child = layout.about(&one, "signature");
    let elsewhere = layout.image("amd64", &[b"elsewhere"]);
    layout.remove(&elsewhere);
    let unrelated = layout.about(&elsewhere, "signature");
    // What depends on another comes first.
    let listed = [of_signature, of_child, signature, unrelated];
    let [of_signature, of_child, signature, _] = &listed;
    let mut all = listed.to_vec();
    all.push(index.clone());
    layout.roots(&all);
    let image = layout.read(&OpenOptions::default()).expect("sound");
    assert_eq!(root(&image), text(&index));
    assert!(image.referrers().is_empty());
    assert_eq!(image.blobs().len(), 4);
    let mut left_out: Vec<Notice> = [signature, of_child]
        .map(|one| Notice::ReferrerLeftOut(digest(one)))
        .to_vec();
    let mut notices = image.notices().to_vec();
    left_out.sort_by_key(ToString::to_string);
    notices.sort_by_key(ToString::to_string);
    assert_eq!(notices, left_out);

    let image = layout.read(&referrers()).expect("sound");
    assert_eq!(root(&image), text(&index));
    let found: Vec<String> = image
        .referrers()
        .iter()
        .map(|one| one.descriptor().digest.to_string())
        .collect();
    let at = |one: &Value| found.iter().position(|digest| *digest == text(one));
    assert_eq!(found.len(), 3);
    assert!(
        at(of_child).is_some() && at(signature) < at(of_signature),
        "{found:?}"
    );
    assert!(image.notices().is_empty(), "{:?}", image.notices());
    assert_eq!(image.blobs().len(), 5, "what they name comes along");
    // Of what was not asked for, nothing comes along.
    let mut options = referrers();
    options.platforms = vec!["linux/amd64".parse().expect("a platform")];
    let image = layout.read(&options).expect("sound");
    assert_eq!(image.referrers().len(), 1);
    assert_eq!(image.referrers()[0].subject(), Some(&digest(&one)));
}
