//! What holds a push back: `--no-clobber`, `--dry-run`.

use expect_test::expect;
use test_registry::{SampleImage, TestRegistry};

use crate::archives::{fixture, push_as, registry};
use crate::support::{Image, check};

fn other() -> Image {
    Image::new(&SampleImage::of_layers(&[500]))
}

fn host(registry: &TestRegistry) -> String {
    registry.host()
}

#[test]
fn no_clobber() {
    let registry = registry();
    push_as(&registry, &Image::small(), "1", &["image.tar"]).assert_code(0);
    let refused = push_as(
        &registry,
        &other(),
        "1",
        &["-q", "--no-clobber", "image.tar"],
    );
    check(
        &refused,
        &host(&registry),
        6,
        &expect![[r"
        error: failed to push HOST/owner/app:1
          caused by: HOST/owner/app:1 exists, and names sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567

        hint: choose another tag, or leave out --no-clobber to move this one
    "]],
    );
}

#[test]
fn dry_run() {
    let registry = registry();
    let home = Image::small();
    let stable = |text: &str| text.replace(&host(&registry), "HOST");
    let planned = push_as(&registry, &home, "1,2", &["-q", "--dry-run", "image.tar"]);
    planned.assert_code(0);
    expect![[r"
        HOST/owner/app: 3 blobs to send, 106.8 kB; 0 there already
        HOST/owner/app:1 would be set to sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567
        HOST/owner/app:2 would be set to sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567
    "]].assert_eq(&stable(&planned.stdout));
    assert_eq!(registry.journal().mutating(), 0);

    push_as(&registry, &home, "1", &["image.tar"]).assert_code(0);
    let again = push_as(&registry, &home, "1,2", &["-q", "--dry-run", "image.tar"]);
    expect![[r"
        HOST/owner/app: 0 blobs to send, 0 B; 3 there already
        HOST/owner/app:1 stays at sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567
        HOST/owner/app:2 would be set to sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567
    "]].assert_eq(&stable(&again.stdout));
    let moved = push_as(&registry, &other(), "1", &["-q", "--dry-run", "image.tar"]);
    expect![[r"
        HOST/owner/app: 2 blobs to send, 2.3 kB; 0 there already
        HOST/owner/app:1 would move from sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567 to sha256:ffca89e66a9151ebe256cc2cfe5de52cad0221727cba4a72f2fd83afd04258cd
    "]].assert_eq(&stable(&moved.stdout));
}

#[test]
fn dry_run_of_a_docker_save_archive() {
    let registry = registry();
    let home = Image::small();
    let archive = fixture("genuine/docker20-save-single.tar");
    let stable = |text: &str| text.replace(&host(&registry), "HOST");
    let planned = push_as(&registry, &home, "1", &["-q", "--dry-run", &archive]);
    planned.assert_code(0);
    expect![[r"
        HOST/owner/app: 1 blob to send, 4.2 kB; 0 there already
        HOST/owner/app: 9 layers to compress first, 333.8 kB
        HOST/owner/app:1 would be set to the image
    "]]
    .assert_eq(&stable(&planned.stdout));
    push_as(&registry, &home, "1", &[&archive]).assert_code(0);
    let again = push_as(
        &registry,
        &home,
        "1",
        &["-q", "--dry-run", "--json", &archive],
    );
    expect![[r#"
        {"schemaVersion":1,"status":"planned","digest":"sha256:a6c611868fced63886e6acac54290159042e87bfe49eb7afd20678861947290f","references":[{"reference":"HOST/owner/app:1","previousDigest":"sha256:a6c611868fced63886e6acac54290159042e87bfe49eb7afd20678861947290f","status":"unchanged"}],"repositories":[{"repository":"HOST/owner/app","referrers":0,"blobs":{"existing":10,"missing":0,"bytesMissing":0,"uncompressed":0,"bytesUncompressed":0}}]}
    "#]].assert_eq(&stable(&again.stdout));
}
