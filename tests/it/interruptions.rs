//! Signals in mid-push: the exit code that the shell's convention asks for, at once, and no tag.

use std::process::Command;
use std::time::{Duration, Instant};

use test_registry::{Action, Fault, Options, Phase, Route, TestRegistry};

use crate::running::Running;
use crate::support::{Image, TOKEN, USERNAME};

#[test]
fn a_signal_ends_a_push_that_waits() {
    for (signal, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        for (route, phase) in [
            (Route::ManifestHead, Phase::BeforeHead),
            (Route::UploadStart, Phase::BeforeState),
            (Route::UploadCommit, Phase::AfterBodyBytes(1000)),
            (Route::ManifestPut, Phase::BeforeState),
        ] {
            let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
            registry.fail(Fault::new(Action::Stall).on(route).at(phase));
            let image = Image::small();
            let reference = format!("{}/owner/app:1", registry.host());
            let running = Running::until(&registry, route, &image, &["image.tar", &reference]);
            let start = Instant::now();
            let script = format!("kill -{signal} {}", running.id());
            let sent = Command::new("sh").args(["-c", &script]).status();
            assert!(sent.expect("a shell").success(), "{script}");
            let run = running.finish();
            assert_eq!(run.code, Some(code), "{signal} {route:?}: {run:?}");
            assert!(
                start.elapsed() < Duration::from_secs(5),
                "{:?}",
                start.elapsed()
            );
            assert_eq!(run.stdout, "", "no result");
            assert!(run.stderr.contains("interrupted"), "{}", run.stderr);
            assert_eq!(registry.tags("owner/app"), [""; 0]);
        }
    }
}
