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
