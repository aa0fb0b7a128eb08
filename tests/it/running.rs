//! The binary while it is at work, to be looked at or interrupted.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use test_registry::{Route, TestRegistry};

use crate::support::{Image, Run, push_command};

/// The binary with a credential, under way. Ends with the test that started it.
pub(crate) struct Running(Option<Child>);

impl Running {
    /// Starts it, and waits until the registry has seen a request of this kind.
    #[track_caller]
    pub(crate) fn until(
        registry: &TestRegistry,
        route: Route,
        image: &Image,
        arguments: &[&str],
    ) -> Self {
        Self::until_count(registry, route, 1, image, arguments)
    }

    /// Starts it, and waits until the registry has seen so many requests of this kind.
    #[track_caller]
    pub(crate) fn until_count(
        registry: &TestRegistry,
        route: Route,
        count: usize,
        image: &Image,
        arguments: &[&str],
    ) -> Self {
        let patience = Duration::from_mins(1);
        Self::within(patience, registry, route, count, image, arguments)
    }

    /// The same with another limit than a minute.
    #[track_caller]
    pub(crate) fn within(
        patience: Duration,
        registry: &TestRegistry,
        route: Route,
        count: usize,
        image: &Image,
        arguments: &[&str],
    ) -> Self {
        let mut command = push_command(image, arguments);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let running = Self(Some(child));
        let start = Instant::now();
        while registry.journal().count(route) < count {
            assert!(start.elapsed() < patience, "no {route:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        running
    }

    /// The process, as the system numbers it.
    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().map_or(0, Child::id)
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Run {
        let child = self.0.take().expect("it was started");
        Run::of(child.wait_with_output().expect("it ends"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // The test has failed already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
