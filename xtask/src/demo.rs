//! `cargo xtask demo`: the main job on an embedded registry that behaves as ghcr.io does.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::{Command, ExitStatus};

use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::manifest::OciManifest;
use oci_client::secrets::RegistryAuth;
use test_registry::{Options, Refusal, SampleImage, TestRegistry};

use crate::run::{cargo, root, say, succeed};

const MIB: u64 = 1024 * 1024;
const USERNAME: &str = "octocat";

/// Builds the tool, pushes a sample image, reads it back, and shows an explained refusal.
pub(crate) fn demo() -> Result<(), String> {
    say("1. Building ghcr-push.");
    succeed(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "ghcr-push",
        "--locked",
    ]))?;

    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let archive = directory.path().join("image.tar");
    say("\n2. Making an OCI image layout: two platforms, 60 MiB.");
    let sample = SampleImage::default()
        .platform("amd64", &[24 * MIB, 4 * MIB, 2048])
        .platform("arm64", &[28 * MIB, 4 * MIB, 2048])
        .write(&archive)
        .map_err(|error| format!("the image cannot be written: {error}"))?;

    // Made up, of the form of a workflow's token; the embedded registry takes this one.
    let token = format!("ghs_{}", "demonstration".repeat(3));
    let registry = TestRegistry::start(Options::ghcr(USERNAME, &token));
    let run = |reference: &str| run(directory.path(), reference, &token);

    say(&format!(
        "\n3. Pushing it to a registry on {} that behaves as ghcr.io does.",
        registry.host()
    ));
    let reference = format!("{}/octocat/hello:1.0", registry.host());
    expect(run(&reference)?, 0)?;

    say("\n4. Reading it back with an independent client (oci-client), every digest checked.");
    let (manifests, blobs) = read_back(&reference, &token)?;
    if (manifests, blobs) != (sample.manifests.len(), sample.blobs.len()) {
        return Err(format!(
            "{manifests} manifests and {blobs} blobs came back, which is not all"
        ));
    }
    say(&format!(
        "   {manifests} manifests and {blobs} blobs came back as they were."
    ));

    say(
        "\n5. Pushing with the same workflow token to a package that was first pushed by hand, and so does \
         not admit the workflow's repository.",
    );
    registry.deny("octocat/by-hand", Refusal::WritePackage);
    let reference = format!("{}/octocat/by-hand:1.0", registry.host());
    expect(run(&reference)?, 4)?;

    say(
        "\nTo push to ghcr.io, with a token that has the scope write:packages:\n\n  \
         gh auth refresh --scopes write:packages\n  \
         gh auth token | target/release/ghcr-push --username USER --password-stdin \\\n    \
         image.tar ghcr.io/USER/NAME:latest\n\n\
         In a workflow: see the quick start in README.md.",
    );
    Ok(())
}

/// Runs the tool as a workflow's step would.
fn run(directory: &Path, reference: &str, token: &str) -> Result<ExitStatus, String> {
    say(&format!("$ ghcr-push image.tar {reference}"));
    // As a workflow's step it would be coloured in a pipe, too.
    let is_terminal = std::io::stderr().is_terminal();
    let color = if is_terminal { "always" } else { "never" };
    let program = root().join("target/release/ghcr-push");
    Command::new(program)
        .args([
            "--plain-http",
            "--registry-profile",
            "ghcr",
            "image.tar",
            reference,
        ])
        .current_dir(directory)
        .env("GHCR_PUSH_TOKEN", token)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .env("GITHUB_ACTIONS", "true")
        .env("GHCR_PUSH_COLOR", color)
        .env("GITHUB_REPOSITORY", "octocat/hello")
        .env(
            "GITHUB_WORKFLOW_REF",
            "octocat/hello/.github/workflows/release.yml@refs/heads/main",
        )
        .env("GITHUB_JOB", "publish")
        .status()
        .map_err(|error| format!("ghcr-push cannot be run: {error}"))
}

fn expect(status: ExitStatus, code: i32) -> Result<(), String> {
    say(&format!("(exit code {})", status.code().unwrap_or(-1)));
    if status.code() == Some(code) {
        Ok(())
    } else {
        Err(format!("exit code {code} was expected"))
    }
}

/// Counts the manifests and distinct blobs that come back with the right digests.
fn read_back(reference: &str, token: &str) -> Result<(usize, usize), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let config = ClientConfig {
            protocol: ClientProtocol::Http,
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| error.to_string())?;
        let auth = RegistryAuth::Basic(USERNAME.to_owned(), token.to_owned());
        let reference: oci_client::Reference = reference.parse().map_err(|_| "no reference")?;
        let accepted = [
            "application/vnd.oci.image.index.v1+json",
            "application/vnd.oci.image.manifest.v1+json",
        ];
        let mut pending = vec![reference];
        let mut blobs = std::collections::BTreeSet::new();
        let mut manifests = 0;
        while let Some(next) = pending.pop() {
            let (bytes, _) = client
                .pull_manifest_raw(&next, &auth, &accepted)
                .await
                .map_err(|error| format!("{next} does not come back: {error}"))?;
            manifests += 1;
            match serde_json::from_slice(&bytes).map_err(|error| error.to_string())? {
                OciManifest::ImageIndex(index) => pending.extend(
                    index
                        .manifests
                        .iter()
                        .map(|entry| next.clone_with_digest(entry.digest.clone())),
                ),
                OciManifest::Image(manifest) => {
                    for blob in std::iter::once(&manifest.config).chain(&manifest.layers) {
                        if blobs.insert(blob.digest.clone()) {
                            let mut sink = tokio::io::sink();
                            client
                                .pull_blob(&next, blob, &mut sink)
                                .await
                                .map_err(|error| {
                                    format!("{} does not come back: {error}", blob.digest)
                                })?;
                        }
                    }
                }
            }
        }
        Ok((manifests, blobs.len()))
    })
}
