//! Annotations added on the way: what changes by them, what names what changes, and what stays.

use oci_archive::{
    Annotation, AnnotationError, AnnotationTarget, Archive, Content, Image, ManifestKind, Notice,
    OpenError, OpenOptions, media_type,
};
use serde_json::{Value, json};

use crate::saved::{Saved, draft, finish};
use crate::support::{Layout, digest, for_platform, root, text, with};

fn annotation(text: &str) -> Annotation {
    text.parse().expect("an annotation")
}

fn try_annotated(layout: &Layout, annotations: &[&str]) -> Result<Image, OpenError> {
    let mut options = OpenOptions::default();
    options.referrers = true;
    let archive = Archive::from_bytes(layout.tar(""), &options).expect("a tar file");
    let mut content = archive.read(&options).expect("sound");
    let annotations: Vec<Annotation> = annotations.iter().map(|text| annotation(text)).collect();
    content.annotate(&annotations)?;
    Ok(content.into_image().expect("its layers are finished"))
}

fn annotated(layout: &Layout, annotations: &[&str]) -> Image {
    let image = try_annotated(layout, annotations).expect("it can be annotated");
    check(&image);
    image
}

/// Every manifest has the digest and the size that it is named by, by whatever names it.
fn check(image: &Image) {
    let all: Vec<_> = image.manifests().iter().chain(image.referrers()).collect();
    let find = |named: &Value| {
        let found = all
            .iter()
            .find(|one| one.descriptor().digest == digest(named));
        let found = found.unwrap_or_else(|| panic!("{named} names nothing"));
        assert_eq!(named["size"], found.bytes().len());
    };
    for manifest in &all {
        let descriptor = manifest.descriptor();
        let mut hasher = descriptor.digest.hasher();
        hasher.update(manifest.bytes());
        assert_eq!(hasher.finish(), descriptor.digest);
        assert_eq!(descriptor.size, manifest.bytes().len() as u64);
        let document: Value = serde_json::from_slice(manifest.bytes()).expect("JSON");
        let children: Vec<&Value> = document["manifests"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        for child in &children {
            find(child);
            let about = &child["annotations"]["vnd.docker.reference.digest"];
            assert!(about.is_null() || children.iter().any(|one| one["digest"] == *about));
        }
        let digests: Vec<_> = children.iter().map(|child| digest(child)).collect();
        assert_eq!(manifest.children(), digests);
        if document["subject"].is_object() {
            find(&document["subject"]);
            assert_eq!(manifest.subject(), Some(&digest(&document["subject"])));
        }
    }
    let last = image.manifests().last().expect("a root");
    assert_eq!(image.root().descriptor(), last.descriptor());
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

/// Two images with attestations of both forms, an artifact of an unknown kind, and signatures.
struct Everything {
    layout: Layout,
    images: [Value; 2],
    unknown: Value,
}

fn everything() -> Everything {
    let mut layout = Layout::default();
    let images = ["amd64", "arm64"].map(|name| {
        let image = layout.image(name, &[name.as_bytes()]);
        for_platform(&image, &format!("linux/{name}"))
    });
    let old = layout.old_attestation(&images[0]);
    let new = layout.new_attestation(&images[1]);
    let unknown = layout.manifest("application/x-unknown", &json!({ "annotations": {} }));
    let entries = [&old, &images[0], &images[1], &new, &unknown];
    let index = json!({
        "x-first": 1, "manifests": entries, "schemaVersion": 2, "annotations": { "old": "1" },
    });
    let index = layout.manifest(media_type::OCI_INDEX, &index);
    let signature = layout.about(&index, "signature");
    let of_signature = layout.about(&signature, "signature of the signature");
    let of_child = layout.about(&images[0], "signature");
    layout.roots(&[index, signature, of_signature, of_child]);
    Everything {
        layout,
        images,
        unknown,
    }
}

#[test]
fn texts() {
    use AnnotationTarget::{Index, Manifest};
    for (text, targets, key, value) in [
        ("a=b", &[Manifest][..], "a", "b"),
        ("a=", &[Manifest], "a", ""),
        ("a=b=c:d", &[Manifest], "a", "b=c:d"),
        ("manifest:a=b", &[Manifest], "a", "b"),
        ("index:a=b", &[Index], "a", "b"),
        ("index,manifest:a=b", &[Index, Manifest], "a", "b"),
        ("index:a:b=c", &[Index], "a:b", "c"),
    ] {
        let found = annotation(text);
        assert_eq!(
            (&*found.targets, &*found.key, &*found.value),
            (targets, key, value)
        );
    }
    let unknown = |name: &str| AnnotationError::UnknownTarget(name.to_owned());
    for (text, expected) in [
        ("", AnnotationError::Malformed),
        ("a", AnnotationError::Malformed),
        ("=b", AnnotationError::Malformed),
        ("index:=b", AnnotationError::Malformed),
        ("a b=c", AnnotationError::Malformed),
        ("layer:a=b", unknown("layer")),
        ("index,:a=b", unknown("")),
        (":a=b", unknown("")),
    ] {
        assert_eq!(text.parse::<Annotation>(), Err(expected), "{text}");
    }
}

#[test]
fn nothing_is_touched_without_annotations() {
    let everything = everything();
    let image = annotated(&everything.layout, &[]);
    for manifest in image.manifests().iter().chain(image.referrers()) {
        let stored = everything.layout.stored(&manifest.descriptor().digest);
        assert_eq!(manifest.bytes(), stored);
    }
    assert!(image.changes().is_empty());
}

/// Everything that names an image follows; other things stay.
#[test]
fn manifests() {
    let everything = everything();
    let image = annotated(&everything.layout, &["manifest:new=1", "other=2"]);
    let new = json!({ "new": "1", "other": "2" });
    for manifest in image.manifests() {
        let is_image = manifest.kind() == ManifestKind::Image;
        let found = &json_of(manifest.bytes())["annotations"];
        match manifest.kind() {
            ManifestKind::Image => assert_eq!(*found, new),
            ManifestKind::Index => assert_eq!(*found, json!({ "old": "1" })),
            _ => assert_eq!(found["new"], Value::Null),
        }
        let digest = manifest.descriptor().digest.to_string();
        let before: Vec<String> = everything.images.iter().map(text).collect();
        assert!(!is_image || !before.contains(&digest));
    }
    for referrer in image.referrers() {
        assert_eq!(json_of(referrer.bytes())["annotations"], Value::Null);
    }
    assert_eq!(image.referrers().len(), 3);
    let found = image.manifests().iter();
    let mut found = found.map(|one| one.descriptor().digest.to_string());
    assert!(found.any(|digest| digest == text(&everything.unknown)));
    assert_eq!(image.changes(), ["annotations were added"]);
    assert!(image.notices().contains(&Notice::AttestationsOutdated));
    // The index is the old one but for digests and sizes.
    let index = json_of(image.root().bytes());
    let keys: Vec<&String> = index.as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        ["x-first", "manifests", "schemaVersion", "annotations"]
    );
    let entries = index["manifests"].as_array().expect("a list").iter();
    let found: Vec<Option<&str>> = entries
        .map(|entry| entry["platform"]["architecture"].as_str())
        .collect();
    let unknown = Some("unknown");
    assert_eq!(
        found,
        [unknown, Some("amd64"), Some("arm64"), unknown, None]
    );
}

#[test]
fn indexes() {
    let everything = everything();
    let before = annotated(&everything.layout, &[]);
    let image = annotated(&everything.layout, &["index:new=1", "index:old=2"]);
    let (last, others) = image.manifests().split_last().expect("a root");
    for (manifest, before) in others.iter().zip(before.manifests()) {
        assert_eq!(manifest.bytes(), before.bytes());
    }
    let mut expected = json_of(before.root().bytes());
    expected["annotations"] = json!({ "old": "2", "new": "1" });
    assert_eq!(last.bytes(), expected.to_string().as_bytes());
    assert_ne!(root(&image), root(&before));
    assert!(!image.notices().contains(&Notice::AttestationsOutdated));
    // The inner ones are not what the tag names.
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[]);
    let inner = layout.index(&[one]);
    let outer = layout.index(std::slice::from_ref(&inner));
    layout.roots(&[outer]);
    let image = annotated(&layout, &["index:a=b"]);
    assert_eq!(image.root().children(), [digest(&inner)]);
}

#[test]
fn both_at_once() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[]);
    let inner = layout.index(&[one]);
    let outer = layout.index(&[inner]);
    layout.roots(&[outer]);
    let image = annotated(&layout, &["index,manifest:a=b"]);
    let found: Vec<Value> = image
        .manifests()
        .iter()
        .map(|one| json_of(one.bytes())["annotations"].clone())
        .collect();
    assert_eq!(
        found,
        [json!({ "a": "b" }), Value::Null, json!({ "a": "b" })]
    );
}

/// Unknown fields, the order of all, and annotations that are there already.
#[test]
fn what_is_unknown_stays() {
    let mut layout = Layout::default();
    let config = layout.blob(media_type::OCI_CONFIG, b"{}");
    let before = format!(
        "{{\"x-z\":[1,2.5,null],\"layers\":[],\"config\":{config},\n \"annotations\":{{\"z\":\"1\",\"a\":\"2\"}},\
         \"schemaVersion\":2,\"x-a\":{{\"q\":\"\\u00e9\"}}}}"
    );
    let manifest = layout.blob(media_type::OCI_MANIFEST, before.as_bytes());
    layout.roots(&[manifest]);
    let after = |image: &Image| String::from_utf8(image.root().bytes().to_vec()).expect("UTF-8");
    let image = annotated(&layout, &["m=3", "a=4"]);
    assert_eq!(
        after(&image),
        format!(
            "{{\"x-z\":[1,2.5,null],\"layers\":[],\"config\":{config},\
             \"annotations\":{{\"z\":\"1\",\"a\":\"4\",\"m\":\"3\"}},\
             \"schemaVersion\":2,\"x-a\":{{\"q\":\"é\"}}}}"
        )
    );
    assert_eq!(after(&annotated(&layout, &[])), before);
}

#[test]
fn annotations_that_are_null() {
    let mut layout = Layout::default();
    let config = layout.blob(media_type::OCI_CONFIG, b"{}");
    let manifest = json!({ "schemaVersion": 2, "config": config, "annotations": null });
    let manifest = layout.manifest(media_type::OCI_MANIFEST, &manifest);
    layout.roots(&[manifest]);
    let image = annotated(&layout, &["a=b"]);
    assert_eq!(
        json_of(image.root().bytes())["annotations"],
        json!({ "a": "b" })
    );
}

#[test]
fn a_single_image_is_no_index() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[]);
    layout.roots(&[one]);
    for text in ["index:a=b", "index,manifest:a=b"] {
        let error = try_annotated(&layout, &[text]).expect_err("it is no index");
        assert_eq!(
            error.to_string(),
            "annotation \"a\": it is for an index, and the image is a single manifest"
        );
        let mut content = Saved::of("amd64", &[b"one"])
            .read(&OpenOptions::default())
            .expect("sound");
        let again = content
            .annotate(&[annotation(text)])
            .expect_err("nor is this");
        assert_eq!(again.to_string(), error.to_string());
    }
}

#[test]
fn drafts() {
    let saved = |name: &str| Saved::of(name, &[b"one"]).read(&OpenOptions::default());
    let plain = finish(&draft(saved("amd64")));
    let mut content = saved("amd64").expect("sound");
    content
        .annotate(&[annotation("a=b")])
        .expect("it has a manifest");
    let image = finish(&draft(Ok(content)));
    check(&image);
    let mut expected = json_of(plain.root().bytes());
    expected["annotations"] = json!({ "a": "b" });
    assert_eq!(json_of(image.root().bytes()), expected);

    let both = ["amd64", "arm64"].map(|name| saved(name).expect("sound"));
    let mut content: Content = oci_archive::merge(both.to_vec()).expect("mergeable");
    content
        .annotate(&[annotation("index,manifest:a=b")])
        .expect("it is an index");
    let image = finish(&draft(Ok(content)));
    check(&image);
    assert_eq!(image.manifests().len(), 3);
    for manifest in image.manifests() {
        assert_eq!(
            json_of(manifest.bytes())["annotations"],
            json!({ "a": "b" })
        );
    }
}

/// A descriptor may bear what it describes; what is changed must not stand there as it was.
#[test]
fn embedded_content_does_not_go_stale() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[]);
    let embedded = with(&one, "data", json!("YW55dGhpbmc="));
    let index = layout.index(std::slice::from_ref(&embedded));
    layout.roots(std::slice::from_ref(&index));
    let image = annotated(&layout, &["a=b"]);
    let entry = &json_of(image.root().bytes())["manifests"][0];
    assert_eq!(
        entry["data"],
        Value::Null,
        "it is not what is described now"
    );
    // What does not change keeps it.
    let image = annotated(&layout, &["index:a=b"]);
    assert_eq!(json_of(image.root().bytes())["manifests"][0], embedded);
}

/// What is merged with drafts is told about as if it were alone.
#[test]
fn outdated_attestations_are_told_of_drafts_too() {
    let mut layout = Layout::default();
    let image = layout.image("arm64", &[]);
    let attestation = layout.old_attestation(&image);
    let index = layout.index(&[image, attestation]);
    layout.roots(&[index]);
    let options = OpenOptions::default();
    let archive = Archive::from_bytes(layout.tar(""), &options).expect("a tar file");
    let finished = archive.read(&options).expect("sound");
    let saved = Saved::of("amd64", &[b"one"]).read(&options).expect("sound");
    let mut content = oci_archive::merge(vec![finished, saved]).expect("it can be merged");
    content
        .annotate(&["a=b".parse().expect("an annotation")])
        .expect("it has manifests");
    let image = finish(&draft(Ok(content)));
    assert!(image.notices().contains(&Notice::AttestationsOutdated));
}
