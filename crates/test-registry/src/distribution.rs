//! A real registry beside the embedded one: Distribution 2.8, as Debian's `docker-registry`, in a
//! process of its own. And a way for tests to say that it, or another program, is not installed.

use std::io::{self, BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A running `docker-registry` with an empty store. Stops when it is dropped.
#[derive(Debug)]
pub struct Distribution {
    process: Child,
    address: SocketAddr,
    _data: TempDir,
}

impl Distribution {
    /// Starts the registry on a free port, and waits until it listens.
    ///
    /// # Errors
    ///
    /// If it is not installed or does not start.
    pub fn start() -> io::Result<Self> {
        let data = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let file = data.path().join("config.yml");
        let configuration = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: \"{address}\"}}\n",
            data.path().display()
        );
        std::fs::write(&file, configuration)?;
        let mut process = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let log = process.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut lines = BufReader::new(log).lines().map_while(Result::ok);
        let registry = Self {
            process,
            address,
            _data: data,
        };
        if !lines.any(|line| line.contains("listening on")) {
            return Err(io::Error::other("docker-registry ended before it listened"));
        }
        // Somebody has to read the rest, or it stops when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(registry)
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
}

impl Drop for Distribution {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether all of `programs` are on PATH. If not, says which are missing, and counts the test that asks
/// as skipped: `cargo xtask test` names a file for that in `GHCR_PUSH_TEST_SKIPS`.
#[must_use]
pub fn installed(programs: &[&str]) -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "asked for a test, not for the tool"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let have =
        |program: &str| std::env::split_paths(&path).any(|place| place.join(program).is_file());
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|program| !have(program))
        .collect();
    if !missing.is_empty() {
        skip(&format!("{} not installed", missing.join(", ")));
    }
    missing.is_empty()
}

#[expect(
    clippy::print_stdout,
    reason = "a test that does not run has to say so"
)]
fn skip(reason: &str) {
    use io::Write as _;
    println!("skipped: {reason}");
    #[expect(
        clippy::disallowed_methods,
        reason = "set by the task that runs the tests"
    )]
    if let Some(path) = std::env::var_os("GHCR_PUSH_TEST_SKIPS") {
        let file = std::fs::OpenOptions::new().append(true).open(path);
        // What is not counted is still printed.
        let _ = file.and_then(|mut file| writeln!(file, "{reason}"));
    }
}
