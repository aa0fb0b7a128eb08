//! Several images that nothing but their platforms tells apart.

use oci_archive::{Archive, Content, OpenError, OpenOptions};
use serde_json::{Value, json};

use crate::saved::Saved;
use crate::support::{Layout, for_platform, root, text, with};

fn wanted(platforms: &[&str]) -> OpenOptions {
    let mut options = OpenOptions::default();
    let parsed = platforms.iter().map(|one| one.parse().expect("a platform"));
    options.platforms = parsed.collect();
    options
}

fn lines(error: &OpenError) -> &[String] {
    match error {
        OpenError::Selection { images, .. } => images,
        other => panic!("{other}"),
    }
}

fn named(descriptor: &Value, name: &str) -> Value {
    let annotations = json!({ "org.opencontainers.image.ref.name": name });
    with(descriptor, "annotations", annotations)
}

#[test]
fn the_only_one_with_the_platform_is_meant() {
    let mut layout = Layout::default();
    let one = layout.image("amd64", &[b"one"]);
    let two = for_platform(&layout.image("arm64", &[b"two"]), "linux/arm64/v8");
    let three = layout.image("s390x", &[b"three"]);
    let index = layout.index(&[three.clone(), layout.clone().image("riscv64", &[])]);
    layout.image("riscv64", &[]);
    let mut unnamed = layout.clone();
    unnamed.roots(&[one.clone(), two.clone(), index]);
    for (platform, expected) in [
        ("linux/amd64", &one),
        ("linux/arm64", &two),
        ("linux/s390x", &three),
    ] {
        let image = unnamed.read(&wanted(&[platform])).expect("it is told");
        assert_eq!(root(&image), text(expected), "{platform}");
    }
    let error = unnamed
        .read(&OpenOptions::default())
        .expect_err("there are three");
    let shown: Vec<&str> = lines(&error)
        .iter()
        .map(|line| line.split_once(" (").expect("platforms").1)
        .collect();
    assert_eq!(
        shown,
        [
            "linux/amd64)",
            "linux/arm64/v8)",
            "linux/s390x, linux/riscv64)"
        ]
    );
    // Two that have it, and none.
    for platforms in [&["linux/386"][..], &["linux/amd64", "linux/arm64"]] {
        let error = unnamed.read(&wanted(platforms)).expect_err("not told");
        assert_eq!(lines(&error).len(), 3);
    }
    // Under one name, too; but names that differ say that these are different things.
    let mut same = layout.clone();
    same.roots(&[named(&one, "1"), named(&two, "1")]);
    let image = same.read(&wanted(&["linux/arm64"])).expect("it is told");
    assert_eq!(root(&image), text(&two));
    let mut different = layout.clone();
    different.roots(&[named(&one, "1"), named(&two, "2")]);
    let error = different.read(&wanted(&["linux/arm64"])).expect_err("two");
    assert_eq!(lines(&error).len(), 2);
}

#[test]
fn images_that_docker_has_saved() {
    let mut saved = Saved::default();
    let layer = saved.layer("a.tar", b"one");
    for architecture in ["amd64", "arm64"] {
        let config = saved.config(architecture, &[&layer]);
        saved.list(&config, &["a.tar"], &[]);
    }
    let options = wanted(&["linux/arm64"]);
    let archive = Archive::from_bytes(saved.bytes(), &options).expect("a tar file");
    let Ok(Content::Draft(draft)) = archive.read(&options) else {
        panic!("it is told");
    };
    assert_eq!(draft.platforms()[0].architecture, "arm64");
    assert_eq!(draft.origin().position, Some(1));
    let all = archive.read_all(&options).expect("sound");
    let positions: Vec<Option<usize>> = all.iter().map(|one| one.origin().position).collect();
    assert_eq!(positions, [Some(1)]);
    let error = saved.read(&OpenOptions::default()).expect_err("two");
    assert!(lines(&error)[1].ends_with("(linux/arm64)"));
}
