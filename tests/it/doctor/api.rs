//! A REST API that answers what it is told to, in a thread, and notes what it is asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

/// An answer to GET of a path.
#[derive(Clone)]
pub(super) struct Answer {
    path: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Answer {
    pub(super) fn new(path: &str, status: u16, body: Value) -> Self {
        Self {
            path: path.to_owned(),
            status,
            headers: Vec::new(),
            body,
        }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The owner of all packages here, as the API knows it.
pub(super) fn owner(kind: &str) -> Answer {
    Answer::new(
        "/users/owner",
        200,
        json!({ "login": "owner", "type": kind }),
    )
}

/// The package `owner/app` of an organization.
pub(super) fn package(visibility: &str, repository: &Value) -> Answer {
    let path = "/orgs/owner/packages/container/app";
    Answer::new(
        path,
        200,
        json!({ "visibility": visibility, "repository": repository }),
    )
}

/// A question that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) path: String,
    /// The value of `Authorization`.
    pub(super) authorization: Option<String>,
}

/// A running API. What it has no answer to is answered with 404.
pub(super) struct Api {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Api {
    pub(super) fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let (answers, noted, ended) = (answers.to_vec(), Arc::clone(&asked), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                // Who goes away in the middle is not answered.
                let _ = serve(stream, &answers, &noted);
            }
        });
        Self {
            address,
            asked,
            is_over,
            thread: Some(thread),
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|one| one.path).collect()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // So that it stops waiting.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    mut stream: TcpStream,
    answers: &[Answer],
    asked: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut authorization = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("authorization")
        {
            authorization = Some(value.to_owned());
        }
    }
    let nothing = Answer::new(&path, 404, json!({ "message": "Not Found" }));
    let answer = answers.iter().find(|answer| answer.path == path);
    let answer = answer.unwrap_or(&nothing);
    asked.lock().expect("no panic").push(Asked {
        path,
        authorization,
    });
    let body = answer.body.to_string();
    let (status, length) = (answer.status, body.len());
    write!(
        stream,
        "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n"
    )?;
    for (name, value) in &answer.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    write!(stream, "\r\n{body}")
}
