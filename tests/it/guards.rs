//! What holds a push back: `--no-clobber`, `--dry-run`.

use expect_test::expect;
use test_registry::{Action, Fault, Route, SampleImage, TestRegistry};

use crate::archives::{fixture, push_as, registry};
use crate::support::{Image, Run, TOKEN, USERNAME, check, command, push};

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

/// The tag that is to blame is named, not the first that was not set for its sake.
#[test]
fn no_clobber_of_one_of_two_tags() {
    let registry = registry();
    push_as(&registry, &Image::small(), "1", &["image.tar"]).assert_code(0);
    let arguments = ["-q", "--no-clobber", "image.tar"];
    let refused = push_as(&registry, &other(), "new,1", &arguments);
    refused.assert_code(6);
    let stderr = refused.stable_stderr(&host(&registry));
    let told =
        "error: failed to push HOST/owner/app:1\n  caused by: HOST/owner/app:1 exists, and names ";
    assert!(stderr.starts_with(told), "{stderr}");
    assert_eq!(registry.tags("owner/app"), ["1"]);
}

/// A dry run and a check are refused as the push is, and tell what they have found out all the same.
#[test]
fn a_dry_run_with_no_clobber() {
    let registry = registry();
    push_as(&registry, &Image::small(), "1", &["image.tar"]).assert_code(0);
    registry.clear_journal();
    let stable = |text: &str| text.replace(&host(&registry), "HOST");
    let elsewhere = format!("{}/owner/other:1", host(&registry));
    let refused = push_as(
        &registry,
        &other(),
        "new,1",
        &["-q", "--no-clobber", "--dry-run", "image.tar", &elsewhere],
    );
    refused.assert_code(6);
    expect![[r"
        HOST/owner/other: 2 blobs to send, 2.3 kB; 0 there already
        HOST/owner/other:1 would be set to sha256:ffca89e66a9151ebe256cc2cfe5de52cad0221727cba4a72f2fd83afd04258cd
        HOST/owner/app:new would not be set, as --no-clobber refuses another tag of its repository
        HOST/owner/app:1 names sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567; --no-clobber would refuse to move it to sha256:ffca89e66a9151ebe256cc2cfe5de52cad0221727cba4a72f2fd83afd04258cd
    "]]
    .assert_eq(&stable(&refused.stdout));
    expect![[r"
        error: a push to HOST/owner/app:1 would fail
          caused by: HOST/owner/app:1 exists, and names sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567

        hint: choose another tag, or leave out --no-clobber to move this one
    "]]
    .assert_eq(&refused.stable_stderr(&host(&registry)));
    let image = other();
    let [new, taken] = ["new", "1"].map(|tag| format!("{}/owner/app:{tag}", host(&registry)));
    let checked = |options: &[&str]| {
        let operands = [&new, &taken, &elsewhere, "image.tar"];
        let arguments = [&["check", "-q", "--no-clobber"], options, &operands].concat();
        let mut command = command(image.directory.path());
        let command = command
            .env("GHCR_PUSH_TOKEN", TOKEN)
            .env("GHCR_PUSH_USERNAME", USERNAME)
            .args(arguments)
            .arg("--plain-http");
        Run::of(command.output().expect("the binary starts"))
    };
    let refused = checked(&[]);
    refused.assert_code(6);
    expect![[r"
        HOST/owner/other:1 may be pushed
        HOST/owner/other: 2 blobs to send, 2.3 kB; 0 there already
        HOST/owner/app:new would not be set, as --no-clobber refuses another tag of its repository
        HOST/owner/app:1 names sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567; --no-clobber would refuse to move it to sha256:ffca89e66a9151ebe256cc2cfe5de52cad0221727cba4a72f2fd83afd04258cd
        HOST/owner/other:1 would be set to sha256:ffca89e66a9151ebe256cc2cfe5de52cad0221727cba4a72f2fd83afd04258cd
    "]]
    .assert_eq(&stable(&refused.stdout));
    expect![[r"
        error: a push to HOST/owner/app:1 would fail
          caused by: HOST/owner/app:1 exists, and names sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567

        hint: choose another tag, or leave out --no-clobber to move this one
    "]]
    .assert_eq(&refused.stable_stderr(&host(&registry)));
    let refused = checked(&["--json"]);
    refused.assert_code(6);
    expect![[r#"
        {"schemaVersion":1,"status":"failed","exitCode":6,"error":{"kind":"refused","step":null,"method":null,"url":null,"status":null,"code":null,"message":"a push to HOST/owner/app:1 would fail","requestId":null,"chain":["a push to HOST/owner/app:1 would fail","HOST/owner/app:1 exists, and names sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567"]},"diagnosis":null,"references":[{"reference":"HOST/owner/app:new","digest":"sha256:ffca89e66a9151ebe256cc2cfe5de52cad0221727cba4a72f2fd83afd04258cd","status":"failed","previousDigest":null,"credential":{"source":"GHCR_PUSH_TOKEN","kind":"installation token, as GITHUB_TOKEN is","username":"octocat"},"diagnosis":null},{"reference":"HOST/owner/app:1","digest":"sha256:ffca89e66a9151ebe256cc2cfe5de52cad0221727cba4a72f2fd83afd04258cd","status":"failed","previousDigest":"sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567","credential":{"source":"GHCR_PUSH_TOKEN","kind":"installation token, as GITHUB_TOKEN is","username":"octocat"},"diagnosis":null},{"reference":"HOST/owner/other:1","digest":"sha256:ffca89e66a9151ebe256cc2cfe5de52cad0221727cba4a72f2fd83afd04258cd","status":"allowed","previousDigest":null,"credential":{"source":"GHCR_PUSH_TOKEN","kind":"installation token, as GITHUB_TOKEN is","username":"octocat"},"diagnosis":null}],"findings":[],"plan":{"schemaVersion":1,"status":"planned","digest":"sha256:ffca89e66a9151ebe256cc2cfe5de52cad0221727cba4a72f2fd83afd04258cd","references":[{"reference":"HOST/owner/app:new","previousDigest":null,"previousKnown":true,"status":"refused"},{"reference":"HOST/owner/app:1","previousDigest":"sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567","previousKnown":true,"status":"refused"},{"reference":"HOST/owner/other:1","previousDigest":null,"previousKnown":true,"status":"planned"}],"repositories":[{"repository":"HOST/owner/other","referrers":0,"refusal":null,"blobs":{"existing":0,"missing":2,"unknown":0,"bytesMissing":2286,"uncompressed":0,"bytesUncompressed":0}}]}}
    "#]]
    .assert_eq(&stable(&refused.stdout));
    assert_eq!(registry.tags("owner/app"), ["1"]);
}

/// What several docker-save archives become is not known before their layers are compressed.
#[test]
fn a_dry_run_with_no_clobber_of_what_is_not_finished() {
    let registry = registry();
    let home = Image::small();
    push_as(&registry, &home, "1", &["image.tar"]).assert_code(0);
    let archives = [
        "genuine/docker20-save-single.tar",
        "genuine/podman-docker-archive.tar",
    ]
    .map(fixture);
    let arguments = [
        "-q",
        "--no-clobber",
        "--dry-run",
        &archives[0],
        &archives[1],
    ];
    let undecided = push_as(&registry, &home, "1,2", &arguments);
    undecided.assert_code(0);
    let stdout = undecided.stdout.replace(&host(&registry), "HOST");
    expect![[r"
        HOST/owner/app: 1 blob to send, 4.2 kB; 0 there already
        HOST/owner/app: 9 layers to compress first, 333.8 kB
        HOST/owner/app:1 names sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567; if the image turns out to be another one, --no-clobber would refuse to move it
        HOST/owner/app:2 would be set to the image
    "]]
    .assert_eq(&stdout);
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

/// What could not be found out is said, and is not taken for absent.
#[test]
fn a_dry_run_that_is_told_nothing() {
    let registry = registry();
    let home = Image::small();
    let stable = |text: &str| text.replace(&host(&registry), "HOST");
    for route in [Route::ManifestHead, Route::ManifestGet, Route::BlobHead] {
        registry.fail(Fault::new(Action::error(403, "DENIED", "denied: no")).on(route));
    }
    let planned = push_as(&registry, &home, "1", &["-q", "--dry-run", "image.tar"]);
    planned.assert_code(0);
    expect![[r"
        HOST/owner/app: 3 blobs to send, 106.8 kB; 0 there already
        HOST/owner/app: the registry does not tell whether it has 3 of those: the registry answered 403 Forbidden: denied: no; a push may be refused, which ghcr-push check finds out
        HOST/owner/app:1 would name sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567; the registry does not tell what it names now
    "]]
    .assert_eq(&stable(&planned.stdout));
    let arguments = ["-q", "--dry-run", "--json", "image.tar"];
    let planned = push_as(&registry, &home, "1", &arguments);
    expect![[r#"
        {"schemaVersion":1,"status":"planned","digest":"sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567","references":[{"reference":"HOST/owner/app:1","previousDigest":null,"previousKnown":false,"status":"planned"}],"repositories":[{"repository":"HOST/owner/app","referrers":0,"refusal":"the registry answered 403 Forbidden: denied: no","blobs":{"existing":0,"missing":3,"unknown":3,"bytesMissing":106808,"uncompressed":0,"bytesUncompressed":0}}]}
    "#]]
    .assert_eq(&stable(&planned.stdout));
    assert_eq!(registry.journal().mutating(), 0);
}

/// Blobs of which alone nothing is said.
#[test]
fn a_dry_run_that_is_told_the_tags_only() {
    let registry = registry();
    let home = Image::small();
    let stable = |text: &str| text.replace(&host(&registry), "HOST");
    registry.fail(Fault::new(Action::answer(400, &[], "")).on(Route::BlobHead));
    let planned = push_as(&registry, &home, "1", &["-q", "--dry-run", "image.tar"]);
    planned.assert_code(0);
    expect![[r"
        HOST/owner/app: 3 blobs to send, 106.8 kB; 0 there already
        HOST/owner/app: the registry does not tell whether it has 3 of those
        HOST/owner/app:1 would be set to sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567
    "]].assert_eq(&stable(&planned.stdout));
}

/// The plan for one registry is told although another one refuses.
#[test]
fn a_dry_run_for_two_registries() {
    let (refusing, registry) = (registry(), registry());
    let home = Image::small();
    refusing.fail(Fault::new(Action::error(401, "UNAUTHORIZED", "no")));
    let stable = |text: &str| {
        let text = text.replace(&host(&registry), "HOST");
        text.replace(&host(&refusing), "REFUSING")
    };
    let refused = format!("{}/owner/app:1", host(&refusing));
    let arguments = ["-q", "--dry-run", "image.tar", &refused];
    let planned = push_as(&registry, &home, "1", &arguments);
    planned.assert_code(4);
    expect![[r"
        HOST/owner/app: 3 blobs to send, 106.8 kB; 0 there already
        HOST/owner/app:1 would be set to sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567
    "]].assert_eq(&stable(&planned.stdout));
    let told = format!("error: a push to {refused} would fail\n");
    assert!(planned.stderr.starts_with(&told), "{}", planned.stderr);
    let arguments = ["-q", "--dry-run", "--json", "image.tar", &refused];
    let planned = push_as(&registry, &home, "1", &arguments);
    planned.assert_code(4);
    let value: serde_json::Value = serde_json::from_str(&planned.stdout).expect("JSON");
    assert_eq!(value["status"], "failed");
    assert_eq!(value["references"][0]["reference"], refused);
    let plan = &value["plan"]["references"][0];
    assert_eq!(
        plan["reference"],
        format!("{}/owner/app:1", host(&registry))
    );
}

/// Nothing is pushed, so nothing fails to be pushed.
#[test]
fn a_dry_run_that_reaches_nobody() {
    let image = Image::small();
    let arguments = ["-q", "--dry-run", "--retry", "1", "image.tar"];
    let reference = "127.0.0.1:1/owner/app:1";
    let failed = push(&image, &[&arguments[..], &[reference]].concat());
    failed.assert_code(5);
    let told = format!("error: what a push to {reference} would do cannot be found out\n");
    assert!(failed.stderr.starts_with(&told), "{}", failed.stderr);
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
        {"schemaVersion":1,"status":"planned","digest":"sha256:a6c611868fced63886e6acac54290159042e87bfe49eb7afd20678861947290f","references":[{"reference":"HOST/owner/app:1","previousDigest":"sha256:a6c611868fced63886e6acac54290159042e87bfe49eb7afd20678861947290f","previousKnown":true,"status":"unchanged"}],"repositories":[{"repository":"HOST/owner/app","referrers":0,"refusal":null,"blobs":{"existing":10,"missing":0,"unknown":0,"bytesMissing":0,"uncompressed":0,"bytesUncompressed":0}}]}
    "#]].assert_eq(&stable(&again.stdout));
}
