//! Parts of an index left out: platforms, what is absent, attestations.

use oci_archive::{Attestations, Image, ManifestKind, OpenError, OpenOptions};
use serde_json::{Value, json};

use crate::support::{Layout, digest, for_platform, order, root, text, with};

fn platforms(platforms: &[&str]) -> OpenOptions {
    let mut options = OpenOptions::default();
    options.platforms = platforms
        .iter()
        .map(|platform| platform.parse().expect("a platform"))
        .collect();
    options
}

fn only_present() -> OpenOptions {
    let mut options = OpenOptions::default();
    options.only_present = true;
    options
}

fn stripped() -> OpenOptions {
    let mut options = OpenOptions::default();
    options.attestations = Attestations::Strip;
    options
}

fn read(layout: &Layout, options: &OpenOptions) -> Image {
    layout.read(options).expect("sound")
}

/// An image for a platform, as an index lists it.
fn image(layout: &mut Layout, platform: &str) -> Value {
    let image = layout.image(platform, &[platform.as_bytes()]);
    for_platform(&image, platform)
}

/// Images for three platforms, each with an attestation, under one index.
struct Three {
    layout: Layout,
    images: [Value; 3],
    attestations: [Value; 3],
    index: Value,
}

fn three() -> Three {
    let mut layout = Layout::default();
    let images = ["linux/amd64", "linux/arm64", "linux/s390x"].map(|platform| {
        with(
            &image(&mut layout, platform),
            "x-unknown",
            json!([platform, null]),
        )
    });
    let attestations = [
        layout.old_attestation(&images[0]),
        layout.old_attestation(&images[1]),
        layout.new_attestation(&images[2]),
    ];
    let all = images.iter().chain(&attestations);
    // Fields that nobody knows, and an order that nobody would choose.
    let index = json!({
        "x-first": { "z": 1, "a": [1.5, null] },
        "manifests": all.collect::<Vec<_>>(),
        "annotations": { "b": "1", "a": "2" },
        "schemaVersion": 2,
        "x-last": "",
    });
    let index = layout.manifest(oci_archive::media_type::OCI_INDEX, &index);
    layout.roots(std::slice::from_ref(&index));
    Three {
        layout,
        images,
        attestations,
        index,
    }
}

impl Three {
    /// The bytes of the index, were it made of these.
    fn with(&self, entries: &[&Value]) -> Vec<u8> {
        let text = std::str::from_utf8(self.layout.stored(&digest(&self.index)));
        let mut index: Value = serde_json::from_str(text.expect("JSON")).expect("JSON");
        index["manifests"] = entries.iter().map(|entry| (*entry).clone()).collect();
        index.to_string().into_bytes()
    }
}

#[test]
fn one_platform_of_three() {
    let three = three();
    let image = read(&three.layout, &platforms(&["linux/arm64"]));
    let expected = &three.images[1];
    assert_eq!(order(&image), [text(expected)]);
    assert_eq!(image.root().bytes(), three.layout.stored(&digest(expected)));
    assert_eq!(image.platforms().len(), 1);
    assert_eq!(image.blobs().len(), 2);
    assert_eq!(
        image.changes(),
        [
            "left out as not asked for: linux/amd64, linux/s390x",
            "3 attestations are left out",
            "only one image is left, which is pushed without an index",
        ]
    );
}

#[test]
fn two_platforms_of_three() {
    let three = three();
    let image = read(&three.layout, &platforms(&["linux/s390x", "linux/amd64"]));
    let [amd64, _, s390x] = &three.images;
    let [of_amd64, _, of_s390x] = &three.attestations;
    let expected = three.with(&[amd64, s390x, of_amd64, of_s390x]);
    assert_eq!(image.root().bytes().as_ref(), expected);
    let root = image.root();
    assert_eq!(root.descriptor().size, expected.len() as u64);
    assert_eq!(root.descriptor().media_type, three.index["mediaType"]);
    assert_eq!(image.manifests().len(), 5);
    assert_eq!(
        image.changes(),
        [
            "left out as not asked for: linux/arm64",
            "1 attestation is left out"
        ]
    );
}

#[test]
fn all_platforms_are_no_change() {
    let three = three();
    for options in [
        platforms(&["linux/s390x", "linux/amd64", "linux/arm64"]),
        only_present(),
    ] {
        let image = read(&three.layout, &options);
        assert_eq!(root(&image), text(&three.index));
        assert_eq!(image.manifests().len(), 7);
        assert!(image.changes().is_empty(), "{:?}", image.changes());
    }
}

#[test]
fn variants() {
    let mut layout = Layout::default();
    let all = [
        "linux/arm/v6",
        "linux/arm/v7",
        "linux/arm64/v8",
        "linux/amd64",
    ];
    let images = all.map(|platform| image(&mut layout, platform));
    let index = layout.index(&images);
    layout.roots(&[index]);
    for (wanted, expected) in [
        ("linux/arm", &[0, 1][..]),
        ("linux/arm/v6", &[0]),
        ("linux/arm/v7", &[1]),
        ("linux/arm/7", &[1]),
        ("linux/armhf", &[0, 1]),
        ("linux/arm64", &[2]),
        ("linux/aarch64", &[2]),
        ("linux/amd64/v1", &[3]),
        ("linux/x86_64", &[3]),
    ] {
        let image = read(&layout, &platforms(&[wanted]));
        let found: Vec<String> = image.platforms().iter().map(ToString::to_string).collect();
        let expected: Vec<&str> = expected.iter().map(|position| all[*position]).collect();
        assert_eq!(found, expected, "{wanted}");
    }
}

#[test]
fn a_platform_that_there_is_not() {
    let three = three();
    let options = platforms(&["linux/arm64", "linux/riscv64", "linux/arm64/v9"]);
    let error = three.layout.read(&options).expect_err("it has no such");
    let OpenError::NoPlatform { wanted, available } = &error else {
        panic!("{error}");
    };
    assert_eq!(wanted, &["linux/riscv64", "linux/arm64/v9"]);
    assert_eq!(available, &["linux/amd64", "linux/arm64", "linux/s390x"]);
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[]);
    layout.roots(&[one]);
    assert!(layout.read(&platforms(&["linux/amd64"])).is_ok());
    let error = layout
        .read(&platforms(&["linux/arm64"]))
        .expect_err("one only");
    assert_eq!(
        error.to_string(),
        "the image has no platform linux/arm64; it has: linux/amd64"
    );
}

/// A platform that is not asked for may be absent.
#[test]
fn nested_indexes() {
    let mut layout = Layout::default();
    let amd64 = image(&mut layout, "linux/amd64");
    // This one's platform is in its configuration only.
    let arm64 = layout.image("arm64", &[b"arm64"]);
    let s390x = image(&mut layout, "linux/s390x");
    let inner = layout.index(&[amd64.clone(), arm64.clone()]);
    let inner = with(&inner, "x-unknown", json!(1));
    let outer = layout.index(&[inner.clone(), s390x.clone()]);
    layout.roots(std::slice::from_ref(&outer));
    layout.remove(&arm64);
    let found = read(&layout, &platforms(&["linux/amd64"]));
    assert_eq!(order(&found), [text(&amd64)]);
    let found = read(&layout, &platforms(&["linux/amd64", "linux/s390x"]));
    let [_, new_inner, _, new_outer] = found.manifests() else {
        panic!("{:?}", order(&found));
    };
    assert_eq!(new_inner.children(), [digest(&amd64)]);
    let new: Value = serde_json::from_slice(new_outer.bytes()).expect("JSON");
    let mut expected = inner.clone();
    expected["digest"] = json!(new_inner.descriptor().digest.to_string());
    expected["size"] = json!(new_inner.bytes().len());
    assert_eq!(new["manifests"], json!([expected, s390x]));
    // What is absent has no platform that could be known.
    let error = layout
        .read(&platforms(&["linux/arm64"]))
        .expect_err("absent");
    assert!(error.to_string().contains(&text(&arm64)), "{error}");
    let found = read(&layout, &only_present());
    assert_eq!(found.root().bytes(), new_outer.bytes());
    assert!(
        found.changes()[0].ends_with(&text(&arm64)),
        "{:?}",
        found.changes()
    );
    // An index that is absent is left out whole.
    layout.remove(&inner);
    let found = read(&layout, &only_present());
    assert_eq!(found.root().children(), [digest(&s390x)]);
    assert_eq!(
        found.root().kind(),
        ManifestKind::Index,
        "what is absent may come later"
    );
}

#[test]
fn what_is_absent_is_left_out_with_its_attestations() {
    let [amd64, arm64, s390x] = [0, 1, 2];
    for (manifests, layers) in [(&[arm64][..], &[s390x][..]), (&[], &[arm64, s390x])] {
        let mut three = three();
        for position in manifests {
            let gone = three.images[*position].clone();
            three.layout.remove(&gone);
        }
        for position in layers {
            let platform = three.images[*position]["x-unknown"][0].as_str();
            let layer = platform.expect("its layer").to_owned();
            let gone = three.layout.blob("", layer.as_bytes());
            three.layout.remove(&gone);
        }
        let error = three.layout.read(&OpenOptions::default());
        assert!(
            matches!(error, Err(OpenError::Incomplete { .. })),
            "{error:?}"
        );
        let image = read(&three.layout, &only_present());
        let expected = three.with(&[&three.images[amd64], &three.attestations[amd64]]);
        assert_eq!(image.root().bytes().as_ref(), expected);
        assert_eq!(
            image.changes(),
            [
                "left out as not in the archive: linux/arm64, linux/s390x",
                "2 attestations are left out",
            ]
        );
    }
}

#[test]
fn an_attestation_may_be_absent_alone() {
    let mut three = three();
    let [gone, _, also] = three.attestations.clone();
    three.layout.remove(&gone);
    three.layout.remove(&also);
    let image = read(&three.layout, &only_present());
    let [amd64, arm64, s390x] = &three.images;
    let expected = three.with(&[amd64, arm64, s390x, &three.attestations[1]]);
    assert_eq!(image.root().bytes().as_ref(), expected);
}

#[test]
fn nothing_is_left() {
    let mut three = three();
    for image in three.images.clone() {
        three.layout.remove(&image);
    }
    let error = three
        .layout
        .read(&only_present())
        .expect_err("all are absent");
    assert_eq!(
        error.to_string(),
        format!(
            "manifest {}: nothing of it is left to push (left out as not in the archive: linux/amd64, \
             linux/arm64, linux/s390x; 3 attestations are left out)",
            text(&three.index)
        )
    );
    // What is asked for must be there.
    let mut options = only_present();
    options.platforms = platforms(&["linux/amd64"]).platforms;
    assert!(three.layout.read(&options).is_err());
}

#[test]
fn attestations_of_both_forms_are_stripped() {
    let three = three();
    let image = read(&three.layout, &stripped());
    let expected = three.with(&three.images.iter().collect::<Vec<_>>());
    assert_eq!(image.root().bytes().as_ref(), expected);
    assert_eq!(image.manifests().len(), 4);
    assert_eq!(image.changes(), ["3 attestations are left out"]);
    // They may be absent, then.
    let mut absent = three;
    let [gone, ..] = absent.attestations.clone();
    absent.layout.remove(&gone);
    assert_eq!(
        read(&absent.layout, &stripped()).root().bytes().as_ref(),
        expected
    );
}

#[test]
fn one_image_without_its_attestations() {
    for is_new in [false, true] {
        let mut layout = Layout::default();
        let one = image(&mut layout, "linux/amd64");
        let attestation = if is_new {
            layout.new_attestation(&one)
        } else {
            layout.old_attestation(&one)
        };
        let index = layout.index(&[one.clone(), attestation]);
        layout.roots(std::slice::from_ref(&index));
        assert_eq!(order(&read(&layout, &stripped())), [text(&one)]);
        // There is nothing to leave out, and so the attestation stays.
        let image = read(&layout, &platforms(&["linux/amd64"]));
        assert_eq!(root(&image), text(&index));
    }
    let mut layout = Layout::default();
    let one = image(&mut layout, "linux/amd64");
    let index = layout.index(&[one]);
    layout.roots(std::slice::from_ref(&index));
    assert_eq!(root(&read(&layout, &stripped())), text(&index));
}
