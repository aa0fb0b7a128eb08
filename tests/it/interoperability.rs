//! What other tools write is pushed, what was pushed other tools read: Distribution holds it, skopeo and
//! oci-client read it back, and the digests are equal.
//!
//! Where Debian's tools are not installed, each test says so and ends; `cargo xtask test` installs them
//! where it may and counts what is skipped.

use std::path::{Path, PathBuf};

use test_registry::{Distribution, Options, SampleImage, TestRegistry, installed};

use crate::support::{Image, push, run_tool};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/archives");

/// Copies an archive beside an image of our own, so that the binary runs in that directory.
fn archive(path: &Path) -> Image {
    let image = Image::small();
    std::fs::copy(path, image.path()).expect("the archive can be copied");
    image
}

/// The manifest that a layout's index names, as it stands in the archive.
fn root_in(archive: &Path) -> (String, Vec<u8>) {
    let read = |name: &str| {
        let name = name.to_owned();
        run_tool("tar", &["-xOf", &archive.display().to_string(), &name])
    };
    let index: serde_json::Value = serde_json::from_slice(&read("index.json")).expect("JSON");
    let digest = index["manifests"][0]["digest"]
        .as_str()
        .expect("a digest")
        .to_owned();
    let manifest = read(&format!("blobs/{}", digest.replace(':', "/")));
    (digest, manifest)
}

/// Pushes an archive into Distribution, and has skopeo read everything back.
#[track_caller]
fn check_round_trip(archive_path: &Path) {
    let distribution = Distribution::start().expect("docker-registry starts");
    let image = archive(archive_path);
    let reference = format!("{}/owner/app:1", distribution.host());
    let pushed = push(&image, &["image.tar", &reference]);
    pushed.assert_code(0);
    let (digest, manifest) = root_in(archive_path);
    assert_eq!(pushed.stdout, format!("{reference}@{digest}\n"));

    let source = format!("docker://{reference}");
    let raw = run_tool(
        "skopeo",
        &["inspect", "--raw", "--tls-verify=false", &source],
    );
    assert_eq!(raw, manifest, "byte for byte");

    let copy = image.directory.path().join("copy");
    let destination = format!("dir:{}", copy.display());
    run_tool(
        "skopeo",
        &[
            "copy",
            "--all",
            "--src-tls-verify=false",
            &source,
            &destination,
        ],
    );

    let again = push(&image, &["image.tar", &reference]);
    again.assert_code(0);
    assert!(again.stderr.contains("unchanged"), "{}", again.stderr);
}

#[test]
fn buildah_to_distribution_to_skopeo() {
    if !installed(&["buildah", "docker-registry", "skopeo", "tar"]) {
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("buildah.tar");
    let file = directory.path().join("file");
    std::fs::write(&file, "hello\n".repeat(10_000)).expect("writable");
    let storage = directory.path().display().to_string();
    // A store of its own, and no privileges that a container of this test may lack.
    let buildah = |arguments: &[&str]| {
        let mut all = vec!["--storage-driver", "vfs", "--root"];
        let root = format!("{storage}/root");
        let runroot = format!("{storage}/run");
        all.extend([root.as_str(), "--runroot", &runroot]);
        all.extend(arguments);
        String::from_utf8(run_tool("buildah", &all))
            .expect("text")
            .trim()
            .to_owned()
    };
    let container = buildah(&["from", "scratch"]);
    buildah(&["copy", &container, &file.display().to_string(), "/file"]);
    buildah(&[
        "config",
        "--label",
        "org.opencontainers.image.source=https://github.com/owner/app",
        &container,
    ]);
    buildah(&[
        "commit",
        "--format",
        "oci",
        &container,
        &format!("oci-archive:{}:app", path.display()),
    ]);
    check_round_trip(&path);
}

#[test]
fn buildkit_with_two_platforms_and_attestations_to_distribution_to_skopeo() {
    if !installed(&["docker-registry", "skopeo", "tar"]) {
        return;
    }
    check_round_trip(&PathBuf::from(FIXTURES).join("genuine/buildkit-oci-multi-attest.tar"));
}

#[test]
fn both_modes_to_distribution() {
    if !installed(&["docker-registry"]) {
        return;
    }
    let distribution = Distribution::start().expect("docker-registry starts");
    let image = Image::new(&SampleImage::of_layers(&[20 << 20, 3000]));
    for (name, mode) in [
        ("stream", ["--upload-mode", "stream"]),
        ("chunked", ["--chunk-size", "3MiB"]),
    ] {
        let reference = format!("{}/owner/{name}:1", distribution.host());
        let mut arguments = mode.to_vec();
        arguments.extend(["image.tar", &reference]);
        push(&image, &arguments).assert_code(0);
        let expected: Vec<u8> = image.sample.manifests.last().expect("a manifest").1.clone();
        assert_eq!(read_back(&reference), expected);
    }
}

#[test]
fn oci_client_reads_back_every_byte() {
    let registry = TestRegistry::start(Options::default());
    let image = Image::new(
        &SampleImage::default()
            .platform("amd64", &[4000])
            .platform("arm64", &[5000]),
    );
    let reference = format!("{}/owner/app:1", registry.host());
    push(&image, &["image.tar", &reference]).assert_code(0);
    assert_eq!(
        read_back(&reference),
        image.sample.manifests.last().expect("a root").1
    );
}

#[test]
fn podman_pulls_what_was_pushed() {
    if !installed(&["podman", "docker-registry"]) {
        return;
    }
    let distribution = Distribution::start().expect("docker-registry starts");
    let image = Image::new(&SampleImage::of_layers(&[10_000]));
    let reference = format!("{}/owner/app:1", distribution.host());
    push(&image, &["image.tar", &reference]).assert_code(0);
    let storage = tempfile::tempdir().expect("a temporary directory");
    let root = format!("{}/root", storage.path().display());
    let runroot = format!("{}/run", storage.path().display());
    run_tool(
        "podman",
        &[
            "--storage-driver",
            "vfs",
            "--root",
            &root,
            "--runroot",
            &runroot,
            "pull",
            "--quiet",
            "--tls-verify=false",
            &reference,
        ],
    );
}

/// The manifest behind a reference and all blobs below it, through oci-client, which checks each digest.
/// Returns the manifest.
fn read_back(reference: &str) -> Vec<u8> {
    use oci_client::client::{Client, ClientConfig, ClientProtocol};
    use oci_client::manifest::OciManifest;
    use oci_client::secrets::RegistryAuth;

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let config = ClientConfig {
            protocol: ClientProtocol::Http,
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).expect("a client");
        let reference: oci_client::Reference = reference.parse().expect("a reference");
        let accepted = [
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.oci.image.manifest.v1+json",
        ];
        let auth = RegistryAuth::Anonymous;
        let mut pending = vec![reference.clone()];
        let mut root = None;
        while let Some(next) = pending.pop() {
            let (bytes, _) = client
                .pull_manifest_raw(&next, &auth, &accepted)
                .await
                .expect("a manifest");
            match serde_json::from_slice(&bytes).expect("a manifest") {
                OciManifest::ImageIndex(index) => pending.extend(
                    index
                        .manifests
                        .iter()
                        .map(|entry| next.clone_with_digest(entry.digest.clone())),
                ),
                OciManifest::Image(manifest) => {
                    for blob in std::iter::once(&manifest.config).chain(&manifest.layers) {
                        client
                            .pull_blob(&next, blob, &mut Vec::new())
                            .await
                            .expect("a blob");
                    }
                }
            }
            root.get_or_insert(bytes.to_vec());
        }
        root.expect("a root")
    })
}

#[test]
fn credentials_are_not_needed_where_none_are_asked_for() {
    let registry = TestRegistry::start(Options::default());
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    push(&image, &["image.tar", &reference]).assert_code(0);
    let sent = registry.journal();
    assert!(
        sent.exchanges
            .iter()
            .all(|exchange| exchange.authorization.is_none())
    );
}

/// A slim container has no certificates; a registry without TLS needs none, and one with TLS is checked
/// against the bundled ones.
#[test]
fn a_machine_without_certificates_can_push() {
    let registry = TestRegistry::start(Options::default());
    let image = Image::small();
    let nothing = image.directory.path().join("nothing");
    std::fs::create_dir(&nothing).expect("writable");
    let output = crate::support::command(image.directory.path())
        .env("SSL_CERT_FILE", "/dev/null")
        .env("SSL_CERT_DIR", &nothing)
        .args([
            "--plain-http",
            "image.tar",
            &format!("{}/owner/app:1", registry.host()),
        ])
        .output();
    let run = crate::support::Run::of(output.expect("the binary starts"));
    run.assert_code(0);
}
