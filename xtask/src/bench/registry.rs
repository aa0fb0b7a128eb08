//! A fresh Distribution to push to, which writes down every request.

use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::place::Place;

/// How long a registry may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `docker-registry` with an empty store. Stops when it is dropped.
pub(super) struct Registry {
    process: Child,
    host: String,
    data: TempDir,
}

/// A certificate for both addresses, with its key.
pub(super) struct Authority {
    directory: TempDir,
}

impl Authority {
    /// Makes one.
    pub(super) fn new() -> Result<Self, String> {
        let names = ["127.0.0.1", "10.77.0.2"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).map_err(|error| error.to_string())?;
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let authority = Self { directory };
        std::fs::write(authority.certificate(), made.cert.pem())
            .and_then(|()| std::fs::write(authority.key(), made.signing_key.serialize_pem()))
            .map_err(|error| error.to_string())?;
        Ok(authority)
    }

    /// The certificate's file.
    pub(super) fn certificate(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }
}

impl Registry {
    /// Starts one, with TLS if there is an authority, and waits until it listens.
    pub(super) fn start(place: &Place, authority: Option<&Authority>) -> Result<Self, String> {
        Self::try_start(place, authority).map_err(|error| format!("docker-registry: {error}"))
    }

    fn try_start(place: &Place, authority: Option<&Authority>) -> io::Result<Self> {
        let data = tempfile::Builder::new().tempdir_in(super::image::scratch())?;
        let address = place.server_address();
        let port = place.as_server(|| {
            let listener = TcpListener::bind((address, 0))?;
            listener.local_addr().map(|address| address.port())
        })??;
        let host = format!("{address}:{port}");
        let tls = authority.map_or(String::new(), |authority| {
            format!(
                ", tls: {{certificate: \"{}\", key: \"{}\"}}",
                authority.certificate().display(),
                authority.key().display()
            )
        });
        let configuration = format!(
            "version: 0.1\nlog: {{level: error}}\n\
             storage: {{filesystem: {{rootdirectory: \"{}\"}}}}\n\
             http: {{addr: \"{host}\"{tls}}}\n",
            data.path().join("store").display()
        );
        let file = data.path().join("config.yml");
        std::fs::write(&file, configuration)?;
        let requests = File::create(data.path().join("requests"))?;
        let errors = File::create(data.path().join("errors"))?;
        let mut command = Command::new("docker-registry");
        command
            .arg("serve")
            .arg(&file)
            .stdout(requests)
            .stderr(Stdio::from(errors));
        let process = place.as_server(|| command.spawn())??;
        let mut registry = Self {
            process,
            host,
            data,
        };
        let start = Instant::now();
        while place.as_server(|| TcpStream::connect(&registry.host).is_err())? {
            let ended = registry.process.try_wait()?.is_some();
            if ended || start.elapsed() > PATIENCE {
                let words = std::fs::read_to_string(registry.data.path().join("errors"))?;
                return Err(io::Error::other(format!("it does not listen: {words}")));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(registry)
    }

    /// `ADDRESS:PORT`, as it stands in references.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// How many requests it has answered so far, from its access log.
    pub(super) fn requests(&self) -> usize {
        let log = std::fs::read_to_string(self.data.path().join("requests")).unwrap_or_default();
        log.lines().filter(|line| line.contains(" HTTP/")).count()
    }

    /// The bytes of all blobs that it stores.
    pub(super) fn stored(&self) -> u64 {
        let store = self.data.path().join("store/docker/registry/v2/blobs");
        size_below(&store)
    }
}

fn size_below(directory: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
