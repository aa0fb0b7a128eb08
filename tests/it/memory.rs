//! Memory does not grow with layers.

use std::time::Duration;

use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::running::Running;
use crate::support::Image;

const MIB: u64 = 1024 * 1024;

/// More than any push needs in a debug build, and far less than the image.
const LIMIT: u64 = 64 * MIB;

/// The most memory that the process has had at a time, in bytes (`proc_pid_status(5)`, `VmHWM`).
#[track_caller]
fn peak(running: &Running) -> u64 {
    let path = format!("/proc/{}/status", running.id());
    let status = std::fs::read_to_string(path).expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kibibytes: u64 = kibibytes.and_then(|n| n.parse().ok()).expect("a number");
    kibibytes * 1024
}

/// A quarter of a gigabyte, in four layers that go up at the same time.
#[test]
fn a_push_stays_small() {
    let image = Image::new(&SampleImage::of_layers(&[64 * MIB; 4]));
    for mode in ["stream", "chunked"] {
        let mut options = Options::default();
        options.discard_blobs = true;
        let registry = TestRegistry::start(options);
        let pause = Fault::new(Action::Delay(Duration::from_secs(1)));
        // Whatever would be read ahead is read ahead while the registry takes nothing.
        for route in [Route::UploadCommit, Route::UploadChunk] {
            let in_body = pause.clone().on(route).at(Phase::AfterBodyBytes(MIB));
            registry.fail(in_body.times(4));
        }
        // All blobs are stored then, and the process is still there to be asked.
        registry.fail(pause.on(Route::ManifestPut).at(Phase::BeforeState));
        let reference = format!("{}/owner/app:1", registry.host());
        let arguments = [
            "--upload-mode",
            mode,
            "--jobs",
            "4",
            "image.tar",
            &reference,
        ];
        let running = Running::until(&registry, Route::ManifestPut, &image, &arguments);
        let peak = peak(&running);
        running.finish().assert_code(0);
        assert_eq!(registry.journal().blob_bytes(), image.sample.blob_bytes());
        let chunks = registry.journal().count(Route::UploadChunk);
        assert_eq!(chunks > 0, mode == "chunked");
        assert!(peak < LIMIT, "{mode}: {} MiB", peak / MIB);
    }
}

/// An image whose one layer is a hole of this size: it takes no room on the disk.
fn hollow(directory: &std::path::Path, size: u64) -> String {
    use std::io::{Seek as _, SeekFrom, Write as _};

    use oci_archive::{Algorithm, Digest};
    use serde_json::json;

    let digest_of = |bytes: &[u8]| Digest::of(Algorithm::Sha256, bytes);
    let zeros = vec![0; 1 << 20];
    let mut hasher = digest_of(b"").hasher();
    for _ in 0..size / MIB {
        hasher.update(&zeros);
    }
    let layer = hasher.finish();
    let config = json!({ "architecture": "amd64", "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [layer.to_string()] } });
    let config = config.to_string();
    let described = |media_type: &str, digest: &Digest, size: u64| json!({ "mediaType": media_type, "digest": digest.to_string(), "size": size });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("application/vnd.oci.image.config.v1+json",
            &digest_of(config.as_bytes()), config.len() as u64),
        "layers": [described("application/vnd.oci.image.layer.v1.tar", &layer, size)],
    });
    let manifest = manifest.to_string();
    let root = digest_of(manifest.as_bytes());
    let index = json!({ "schemaVersion": 2, "manifests": [described(
        "application/vnd.oci.image.manifest.v1+json", &root, manifest.len() as u64)] });

    let path = directory.join("hollow.tar");
    let mut file = std::fs::File::create(path).expect("writable");
    let mut entry = |name: &str, size: u64, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_path(name).expect("a short name");
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        file.write_all(header.as_bytes()).expect("writable");
        file.write_all(content).expect("writable");
        let end = file.stream_position().expect("a file") - content.len() as u64 + size;
        file.seek(SeekFrom::Start(end.next_multiple_of(512)))
            .expect("a file");
    };
    let blob = |digest: &Digest| format!("blobs/sha256/{}", digest.hex());
    entry(&blob(&layer), size, b"");
    entry(
        &blob(&digest_of(config.as_bytes())),
        config.len() as u64,
        config.as_bytes(),
    );
    entry(&blob(&root), manifest.len() as u64, manifest.as_bytes());
    entry(
        "index.json",
        index.to_string().len() as u64,
        index.to_string().as_bytes(),
    );
    let layout = br#"{"imageLayoutVersion":"1.0.0"}"#;
    entry("oci-layout", layout.len() as u64, layout);
    file.write_all(&[0; 1024]).expect("writable");
    root.to_string()
}

/// The largest layer that ghcr.io takes, and a little more than four gigabytes in the other mode.
#[test]
#[ignore = "takes minutes; cargo xtask test --large runs it"]
fn ten_gigabytes_stay_small() {
    for (mode, size) in [("stream", 10 << 30), ("chunked", (4 << 30) + MIB)] {
        let image = Image::small();
        let digest = hollow(image.directory.path(), size);
        let mut options = Options::default();
        options.discard_blobs = true;
        let registry = TestRegistry::start(options);
        let pause = Fault::new(Action::Delay(Duration::from_secs(1)));
        registry.fail(pause.on(Route::ManifestPut).at(Phase::BeforeState));
        let reference = format!("{}/owner/app:1", registry.host());
        let arguments = ["--upload-mode", mode, "hollow.tar", &reference];
        let patience = Duration::from_mins(10);
        let running = Running::within(
            patience,
            &registry,
            Route::ManifestPut,
            1,
            &image,
            &arguments,
        );
        let peak = peak(&running);
        let run = running.finish();
        run.assert_code(0);
        assert!(run.stdout.contains(&digest), "{}", run.stdout);
        assert!(registry.journal().blob_bytes() > size);
        assert!(peak < LIMIT, "{mode}: {} MiB", peak / MIB);
    }
}
