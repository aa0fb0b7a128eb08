//! A registry on bare sockets, for what no HTTP server lets itself be made to do.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oci_archive::{Algorithm, Digest};
use oci_push::Reference;

use crate::support::{Pushed, Source, push_to};

/// A request whose body has not been read yet.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) length: u64,
    /// Its number on its connection, from 1.
    pub(crate) number: usize,
    /// Its number among those of this method, from 1.
    pub(crate) of_method: usize,
}

/// What a script makes of a request.
pub(crate) enum Then {
    /// What a registry does.
    Answer,
    /// The same, and the connection is closed without a word about it.
    AnswerAndClose,
    /// What a registry does that reads so many bytes a tenth of a second.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux tells what a slow reader has taken")
    )]
    AnswerSlowly(u64),
    /// Nothing more: the script has answered a request without a body.
    Said,
    /// The connection is closed; the script has said what there was to say.
    Close,
}

type Script = dyn Fn(&Asked, &mut TcpStream) -> Then + Send + Sync;

/// The registry.
pub(crate) struct Raw {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    blobs: Mutex<HashSet<String>>,
    manifests: Mutex<HashMap<String, String>>,
    requests: Mutex<HashMap<String, usize>>,
    body_bytes: AtomicUsize,
}

impl Raw {
    pub(crate) fn start(
        script: impl Fn(&Asked, &mut TcpStream) -> Then + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self::listen(listener, script)
    }

    pub(crate) fn listen(
        listener: TcpListener,
        script: impl Fn(&Asked, &mut TcpStream) -> Then + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State::default());
        let script: Arc<Script> = Arc::new(script);
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (script, state) = (Arc::clone(&script), Arc::clone(&shared));
                // Whoever has gone away needs no answer.
                std::thread::spawn(move || drop(serve(stream, &*script, &state)));
            }
        });
        Self { address, state }
    }

    pub(crate) fn push(&self, source: &Source, options: oci_push::PushOptions) -> Pushed {
        let reference: Reference = format!("{}/owner/app:1", self.address)
            .parse()
            .expect("a reference");
        push_to(&[reference], source, options)
    }

    /// How many requests of a method came.
    pub(crate) fn count(&self, method: &str) -> usize {
        let requests = self.state.requests.lock().expect("no panic");
        requests.get(method).copied().unwrap_or_default()
    }

    pub(crate) fn body_bytes(&self) -> usize {
        self.state.body_bytes.load(Ordering::Relaxed)
    }

    /// The tag names the image, and each of its blobs is there.
    #[track_caller]
    pub(crate) fn assert_published(&self, source: &Source) {
        let manifests = self.state.manifests.lock().expect("no panic");
        assert_eq!(manifests.get("1"), Some(&source.sample.digest));
        let blobs = self.state.blobs.lock().expect("no panic");
        for (digest, _) in &source.sample.blobs {
            assert!(blobs.contains(digest), "{digest}");
        }
    }
}

fn serve(stream: TcpStream, script: &Script, state: &State) -> std::io::Result<()> {
    let mut writer = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    for number in 1.. {
        let Some(asked) = read_head(&mut reader, number, state)? else {
            return Ok(());
        };
        let then = script(&asked, &mut writer);
        if matches!(then, Then::Close) {
            return Ok(());
        }
        if matches!(then, Then::Said) {
            continue;
        }
        let mut body = Vec::new();
        if let Then::AnswerSlowly(bytes) = then {
            while (body.len() as u64) < asked.length.saturating_sub(bytes) {
                reader.by_ref().take(bytes).read_to_end(&mut body)?;
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        let rest = asked.length - body.len() as u64;
        reader.by_ref().take(rest).read_to_end(&mut body)?;
        let read = body.len();
        if asked.path.contains("/blobs/") {
            state.body_bytes.fetch_add(read, Ordering::Relaxed);
        }
        answer(&asked, &body, state, &mut writer)?;
        if matches!(then, Then::AnswerAndClose) {
            return Ok(());
        }
    }
    Ok(())
}

fn read_head(
    reader: &mut BufReader<TcpStream>,
    number: usize,
    state: &State,
) -> std::io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut requests = state.requests.lock().expect("no panic");
    let of_method = requests.entry(method.clone()).or_default();
    *of_method += 1;
    Ok(Some(Asked {
        of_method: *of_method,
        method,
        path,
        length,
        number,
    }))
}

fn answer(
    asked: &Asked,
    body: &[u8],
    state: &State,
    writer: &mut impl Write,
) -> std::io::Result<()> {
    let last = asked.path.rsplit('/').next().unwrap_or_default();
    let head = match (asked.method.as_str(), asked.path.contains("/manifests/")) {
        ("PUT", true) => {
            let digest = sha256(body);
            let mut manifests = state.manifests.lock().expect("no panic");
            manifests.insert(last.to_owned(), digest.clone());
            format!("201 Created\r\nDocker-Content-Digest: {digest}")
        }
        (_, true) => match state.manifests.lock().expect("no panic").get(last) {
            Some(digest) => format!("200 OK\r\nDocker-Content-Digest: {digest}"),
            None => "404 Not Found".to_owned(),
        },
        ("POST", _) => "202 Accepted\r\nLocation: /v2/owner/app/blobs/uploads/1".to_owned(),
        ("PUT", _) => {
            state.blobs.lock().expect("no panic").insert(sha256(body));
            "201 Created".to_owned()
        }
        _ if state.blobs.lock().expect("no panic").contains(last) => "200 OK".to_owned(),
        _ => "404 Not Found".to_owned(),
    };
    write!(writer, "HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n")
}

fn sha256(bytes: &[u8]) -> String {
    Digest::of(Algorithm::Sha256, bytes).to_string()
}
