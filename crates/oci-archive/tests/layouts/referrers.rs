//! What is about an image and no part of it comes along on request.

use oci_archive::{Content, Format, Image, Notice, OpenError, OpenOptions, merge};
use serde_json::{Value, json};

use crate::hybrid::{Hybrid, UNCOMPRESSED};
use crate::saved::{Saved, draft, finish};
use crate::support::{Layout, digest, for_platform, root, text, with};

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

fn named(descriptor: &Value, name: &str) -> Value {
    let annotations = json!({ "org.opencontainers.image.ref.name": name });
    with(descriptor, "annotations", annotations)
}

fn referrers_of(image: &Image) -> Vec<String> {
    let referrers = image.referrers().iter();
    referrers
        .map(|one| one.descriptor().digest.to_string())
        .collect()
}

/// What a list under a fallback tag names stands nowhere else.
#[test]
fn what_a_fallback_tag_lists() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &[b"one"]);
    let signature = layout.about(&image, "signature");
    let other = layout.image("arm64", &[b"two"]);
    let wrong = layout.about(&other, "of another image");
    let list = layout.index(&[signature.clone(), wrong]);
    let tag = digest(&image).referrers_tag();
    layout.roots(&[named(&list, &tag), image.clone()]);
    let left = layout.read(&OpenOptions::default()).expect("sound");
    assert_eq!(root(&left), text(&image));
    assert!(
        left.notices()
            .contains(&Notice::ReferrerLeftOut(digest(&signature))),
        "{:?}",
        left.notices()
    );
    let taken = layout.read(&referrers()).expect("sound");
    assert_eq!(root(&taken), text(&image));
    assert_eq!(referrers_of(&taken), [text(&signature)]);
    assert!(taken.referrer_tags().is_empty());
}

/// cosign's tags name manifests that do not say themselves what they are about.
#[test]
fn what_tags_of_cosign_name() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &[b"one"]);
    let signature = layout.image("signature", &[b"signature"]);
    let tag = format!("{}.sig", digest(&image).referrers_tag());
    let stray = layout.image("stray", &[b"stray"]);
    let elsewhere = format!("{}.sig", digest(&stray).referrers_tag());
    layout.roots(&[
        named(&image, "ghcr.io/owner/name:1"),
        named(&signature, &format!("ghcr.io/owner/name:{tag}")),
        named(&stray, &elsewhere),
    ]);
    let left = layout.read(&OpenOptions::default()).expect("sound");
    assert_eq!(
        left.notices(),
        [Notice::ReferrerLeftOut(digest(&signature))]
    );
    let taken = layout.read(&referrers()).expect("sound");
    assert_eq!(referrers_of(&taken), [text(&signature)]);
    assert_eq!(taken.referrer_tags(), [(tag, digest(&signature))]);
    assert_eq!(taken.blobs().len(), 4);
    // Nor beside an image that is still to be made.
    let saved = Saved::of("arm64", &[b"two"]);
    let saved = saved.read(&OpenOptions::default()).expect("sound");
    let beside = Content::Image(Box::new(taken.clone()));
    let mut merged = merge(vec![beside, saved]).expect("mergeable");
    let told = [Notice::ReferrerOutdated(digest(&signature))];
    for (text, expected) in [("index:a=b", &[][..]), ("a=b", &told)] {
        merged
            .annotate(&[text.parse().expect("an annotation")])
            .expect("annotated");
        assert_eq!(merged.notices(), expected, "{text}");
    }
    let made = finish(&draft(Ok(merged)));
    assert!(made.referrers().is_empty());
    assert_eq!(made.notices(), told);
    // A signature on what the manifest was before is about nothing that is published.
    let mut changed = Content::Image(Box::new(taken));
    let annotation = "a=b".parse().expect("an annotation");
    changed.annotate(&[annotation]).expect("annotated");
    let changed = changed.into_image().expect("an image");
    assert!(changed.referrers().is_empty() && changed.referrer_tags().is_empty());
    assert_eq!(changed.blobs().len(), 2, "what it named is dropped with it");
    assert_eq!(
        changed.notices(),
        [Notice::ReferrerOutdated(digest(&signature))]
    );
}

/// What stands in an index and is about one of its images stays with it, or is told.
#[test]
fn referrers_in_an_index_that_is_filtered() {
    let mut layout = Layout::default();
    let one = for_platform(&layout.image("amd64", &[b"one"]), "linux/amd64");
    let two = for_platform(&layout.image("arm64", &[b"two"]), "linux/arm64");
    let three = for_platform(&layout.image("s390x", &[b"three"]), "linux/s390x");
    let of_one = layout.about(&one, "signature");
    let of_two = layout.about(&two, "signature");
    let attested = layout.new_attestation(&one);
    let all = [&one, &of_one, &two, &of_two, &three, &attested].map(Clone::clone);
    let index = layout.index(&all);
    let of_index = layout.about(&index, "signature");
    layout.roots(&[index, of_index.clone()]);
    let read = |platforms: &[&str], referrers: bool| {
        let mut options = OpenOptions::default();
        options.referrers = referrers;
        let parsed = platforms.iter().map(|one| one.parse().expect("a platform"));
        options.platforms = parsed.collect();
        layout.read(&options).expect("sound")
    };
    let outdated = |one: &Value| Notice::ReferrerOutdated(digest(one));

    let image = read(&["linux/amd64", "linux/s390x"], false);
    let document: Value = serde_json::from_slice(image.root().bytes()).expect("JSON");
    assert_eq!(document["manifests"], json!([one, of_one, three, attested]));
    assert_eq!(image.notices(), [outdated(&of_index), outdated(&of_two)]);
    assert_eq!(image.changes(), ["left out as not asked for: linux/arm64"]);
    assert!(!image.is_verbatim(), "the index is another one");

    let image = read(&["linux/amd64"], false);
    assert_eq!(root(&image), text(&one));
    assert!(image.is_verbatim(), "the archive holds it as it is");
    let left = Notice::ReferrerLeftOut(digest(&of_one));
    assert_eq!(
        image.notices(),
        [outdated(&of_index), outdated(&of_two), left]
    );
    assert_eq!(image.changes()[1], "1 attestation is left out");

    let image = read(&["linux/amd64"], true);
    assert_eq!(referrers_of(&image), [text(&of_one), text(&attested)]);
    assert_eq!(image.notices(), [outdated(&of_index), outdated(&of_two)]);
    assert_eq!(image.changes().len(), 2, "{:?}", image.changes());
}

#[test]
fn referrers_that_are_not_whole() {
    let mut layout = Layout::default();
    let image = layout.image("amd64", &[b"one"]);
    let signature = layout.about(&image, "signature");
    let absent = layout.about(&image, "absent");
    let list = layout.index(&[signature.clone(), absent.clone()]);
    layout.remove(&absent);
    let tag = digest(&image).referrers_tag();
    layout.roots(&[image.clone(), named(&list, &tag)]);
    let error = layout.read(&referrers()).expect_err("it was asked for");
    let OpenError::Incomplete { absent: told } = &error else {
        panic!("{error}");
    };
    assert_eq!(told[0].digest, digest(&absent));
    let mut options = referrers();
    options.only_present = true;
    let present = layout.read(&options).expect("what is there");
    assert_eq!(referrers_of(&present), [text(&signature)]);
    assert_eq!(
        present.notices(),
        [Notice::ReferrerIncomplete(digest(&absent))]
    );
}

/// A manifest that is made anew is not the one that something in the archive is about.
#[test]
fn referrers_of_a_manifest_that_is_made_anew() {
    let mut hybrid = Hybrid::default();
    let manifest = hybrid.image(&[b"one"], UNCOMPRESSED, "x:1");
    let signature = hybrid.layout.about(&manifest, "signature");
    hybrid.listed.push(signature.clone());
    let mut insisted = referrers();
    insisted.format = Some(Format::DockerArchive);
    assert_eq!(
        draft(hybrid.read(&insisted)).notices(),
        [Notice::ReferrerOutdated(digest(&signature))]
    );
    let made = draft(hybrid.read(&referrers()));
    assert_eq!(
        made.notices(),
        [Notice::ReferrerOutdated(digest(&signature))]
    );
    assert_eq!(made.changes().len(), 1);
    assert!(
        made.changes()[0].ends_with(&text(&manifest)),
        "{:?}",
        made.changes()
    );
}

/// An index that is taken apart is not published, nor what is about it.
#[test]
fn referrers_of_what_is_merged() {
    let mut layout = Layout::default();
    let one = for_platform(&layout.image("amd64", &[b"one"]), "linux/amd64");
    let index = layout.index(std::slice::from_ref(&one));
    let of_index = layout.about(&index, "signature of the index");
    let of_that = layout.about(&of_index, "signature of the signature");
    let of_one = layout.about(&one, "signature");
    layout.roots(&[index, of_index.clone(), of_that.clone(), of_one.clone()]);
    let mut second = Layout::default();
    let two = second.image("arm64", &[b"two"]);
    second.roots(std::slice::from_ref(&two));
    let content = |layout: &Layout| {
        let image = layout.read(&referrers()).expect("sound");
        assert!(image.notices().is_empty());
        Content::Image(Box::new(image))
    };
    let merged = merge(vec![content(&layout), content(&second)]).expect("mergeable");
    let merged = merged.into_image().expect("an image");
    assert_eq!(referrers_of(&merged), [text(&of_one)]);
    let mut expected = [of_index, of_that].map(|one| Notice::ReferrerOutdated(digest(&one)));
    let mut told = merged.notices().to_vec();
    expected.sort_by_key(ToString::to_string);
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, expected);
}
