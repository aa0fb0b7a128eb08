//! A release of the tool, served over HTTP on this machine.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Cursor, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use flate2::{Compression, Crc, write::GzEncoder};

/// The version that is released.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The files of a release, and who asked for them.
pub(super) struct Release {
    host: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Release {
    /// One that is as it should be.
    pub(super) fn new() -> Self {
        Self::of(LINUX, archive(LINUX, "ghcr-push"), None)
    }

    /// One with the archive for Windows.
    pub(super) fn for_windows() -> Self {
        let target = "x86_64-pc-windows-msvc";
        let path = format!("{}/ghcr-push.exe", name(target));
        Self::of(target, zip(&path, script().as_bytes()), None)
    }

    /// One whose archive is another than the list says.
    pub(super) fn with_another_checksum() -> Self {
        let checksum = "0".repeat(64);
        Self::of(LINUX, archive(LINUX, "ghcr-push"), Some(&checksum))
    }

    /// One whose list has nothing of the archive.
    pub(super) fn with_no_checksum() -> Self {
        let file = (file(LINUX), archive(LINUX, "ghcr-push"));
        let sums = "0000  ghcr-push-of-somebody-else.tar.gz\n";
        Self::serve(BTreeMap::from([file, sums_file(sums)]))
    }

    /// One whose archive has no tool in it.
    pub(super) fn of_something_else() -> Self {
        Self::of(LINUX, archive(LINUX, "something-else"), None)
    }

    /// One with a list and nothing else.
    pub(super) fn without_archives() -> Self {
        Self::serve(BTreeMap::from([sums_file("")]))
    }

    fn of(target: &str, archive: Vec<u8>, checksum: Option<&str>) -> Self {
        let file = file(target);
        let digest = oci_archive::Digest::of(oci_archive::Algorithm::Sha256, &archive);
        let checksum = checksum.unwrap_or(digest.hex());
        let sums = format!("{checksum}  {file}\n");
        Self::serve(BTreeMap::from([(file, archive), sums_file(&sums)]))
    }

    /// Answers requests until the tests end.
    fn serve(files: BTreeMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let host = listener.local_addr().expect("an address").to_string();
        let requests = Arc::default();
        let log = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&stream.expect("a connection"), &files, &log);
            }
        });
        Self { host, requests }
    }

    /// `127.0.0.1:PORT`.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Where it is, as a GitHub server.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.host)
    }

    /// The paths that were asked for.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("nobody panicked").clone()
    }
}

const LINUX: &str = "x86_64-unknown-linux-musl";

fn name(target: &str) -> String {
    format!("ghcr-push-{target}-v{VERSION}")
}

fn file(target: &str) -> String {
    let ending = if target.contains("windows") {
        "zip"
    } else {
        "tar.gz"
    };
    format!("{}.{ending}", name(target))
}

fn sums_file(text: &str) -> (String, Vec<u8>) {
    ("SHA256SUMS".to_owned(), text.as_bytes().to_vec())
}

/// What stands for the tool: a script that becomes it.
fn script() -> String {
    let tool = env!("CARGO_BIN_EXE_ghcr-push");
    format!("#!/bin/sh\nexec '{tool}' \"$@\"\n")
}

fn archive(target: &str, program: &str) -> Vec<u8> {
    let script = script();
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(script.len() as u64);
    let encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut archive = tar::Builder::new(encoder);
    let path = format!("{}/{program}", name(target));
    archive
        .append_data(&mut header, path, script.as_bytes())
        .expect("memory");
    let encoder = archive.into_inner().expect("memory");
    encoder.finish().expect("memory")
}

/// A zip file with one file that may be run, stored as it is
/// (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>).
fn zip(path: &str, content: &[u8]) -> Vec<u8> {
    let mut checksum = Crc::new();
    checksum.update(content);
    let size = u32::try_from(content.len()).expect("small").to_le_bytes();
    let length = u16::try_from(path.len()).expect("short").to_le_bytes();
    // From the version needed to the length of the extra field; time and date are the first that there are.
    let mut common = vec![10, 0, 0, 0, 0, 0, 0, 0, 33, 0];
    common.extend(checksum.sum().to_le_bytes());
    common.extend(size);
    common.extend(size);
    common.extend(length);
    common.extend([0, 0]);
    let mut file = b"PK\x03\x04".to_vec();
    file.extend(&common);
    file.extend(path.as_bytes());
    file.extend(content);
    let start = u32::try_from(file.len()).expect("small").to_le_bytes();
    // Made on Unix, whose modes stand in the upper half of the attributes.
    let mut directory = b"PK\x01\x02\x0a\x03".to_vec();
    directory.extend(&common);
    directory.extend([0; 6]);
    directory.extend((0o100_755_u32 << 16).to_le_bytes());
    directory.extend([0; 4]);
    directory.extend(path.as_bytes());
    let size = u32::try_from(directory.len()).expect("small").to_le_bytes();
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    file.extend(size);
    file.extend(start);
    file.extend([0, 0]);
    file
}

/// Answers one request, and closes the connection.
fn answer(mut stream: &TcpStream, files: &BTreeMap<String, Vec<u8>>, log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().expect("a request").expect("text");
    let path = first.split(' ').nth(1).expect("a path").to_owned();
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    let place = format!("/owner/source/releases/download/v{VERSION}/");
    let found = path.strip_prefix(&place).and_then(|file| files.get(file));
    log.lock().expect("nobody panicked").push(path);
    let (status, body) = match found {
        Some(body) => ("200 OK", body.as_slice()),
        None => ("404 Not Found", &b"Not Found"[..]),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut answer = Cursor::new([head.as_bytes(), body].concat());
    // Whoever asked may have gone.
    let _ = std::io::copy(&mut answer, &mut stream).and_then(|_| stream.flush());
}
