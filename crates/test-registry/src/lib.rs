//! A real OCI registry over HTTP, in a thread of its own, for tests and demonstrations.
//!
//! It keeps to the distribution specification, or behaves as ghcr.io does ([`Personality::Ghcr`]), and is
//! strict: a wrong range, digest, size, scope or reference is refused. Faults are scripted as data
//! ([`Fault`]), and every request is written into a [`Journal`], so that a test asserts what was sent, and
//! not only that it worked. It stops when it is dropped. Everything is kept in memory.
//!
//! [`SampleImage`] makes images to push.
//!
//! The same list of checks runs against it and against a Distribution registry
//! (`tests/conformance`): it must not be kinder than the real thing.

mod answer;
mod authorization;
mod blobs;
mod connection;
mod distribution;
mod edits;
mod fault;
mod front;
mod journal;
mod kinds;
mod manifests;
mod options;
mod personality;
mod receive;
mod refusal;
mod route;
mod sample;
mod server;
mod store;
mod tokens;
mod uploads;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use tokio::sync::oneshot;

pub use distribution::{Distribution, installed};
pub use fault::{Action, Fault, Phase};
pub use front::Front;
pub use journal::{Exchange, Journal, Uploads};
pub use kinds::{Kind, Moment};
pub use options::{Authentication, Options};
pub use personality::Personality;
pub use refusal::Refusal;
pub use route::Route;
pub use sample::{Sample, SampleImage};
pub use store::StoredManifest;
pub use wire::Spelling;

use server::Shared;

/// A running registry.
#[derive(Debug)]
pub struct TestRegistry {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TestRegistry {
    /// Starts a registry.
    ///
    /// # Errors
    ///
    /// If the port is taken or no thread can be started.
    pub fn try_start(options: Options) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", options.port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options, address));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("test-registry".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = server::serve(listener, serving) => {}
                        _ = stopped => {}
                    }
                });
                // Stalled connections are cut, not waited for.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            shared,
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Starts a registry, or panics: for tests.
    ///
    /// # Panics
    ///
    /// If the port is taken or no thread can be started.
    #[must_use]
    pub fn start(options: Options) -> Self {
        Self::try_start(options).expect("a loopback port and a thread are to be had")
    }

    /// `127.0.0.1:PORT`, as it stands in references.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.shared.journal.snapshot()
    }

    /// Forgets the requests so far.
    pub fn clear_journal(&self) {
        self.shared.journal.clear();
    }

    /// Adds a fault to the script.
    pub fn fail(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Makes every token issued until now invalid.
    pub fn revoke_tokens(&self) {
        self.shared.tokens.revoke_all();
    }

    /// Refuses pushes to a repository from now on.
    pub fn deny(&self, repository: &str, refusal: Refusal) {
        self.shared.deny(repository, refusal);
    }

    /// A blob's bytes, if it is stored and blobs are kept.
    #[must_use]
    pub fn blob(&self, repository: &str, digest: &str) -> Option<Bytes> {
        self.shared.store().blob(repository, digest)
    }

    /// What is stored under a tag or digest.
    #[must_use]
    pub fn manifest(&self, repository: &str, reference: &str) -> Option<StoredManifest> {
        self.shared.store().manifest(repository, reference)
    }

    /// A repository's tags in order.
    #[must_use]
    pub fn tags(&self, repository: &str) -> Vec<String> {
        self.shared.store().tags(repository)
    }

    /// Stores a blob without a request; returns its digest.
    pub fn put_blob(&self, repository: &str, bytes: Bytes) -> String {
        self.shared.store().put_blob(repository, bytes)
    }
}

impl Drop for TestRegistry {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
