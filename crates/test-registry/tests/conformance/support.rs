//! A registry under test, and what the checks ask of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const NAME: &str = "owner/app";

pub(crate) fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex = hash
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!("sha256:{hex}")
}

/// A registry under test.
pub(crate) struct Subject {
    client: Client,
    url: String,
    /// Whether a session goes on after a chunk that was cut off. Where its address carries the length
    /// that was acknowledged, as Distribution's does, it cannot.
    pub(crate) keeps_broken_chunks: bool,
}

impl Subject {
    pub(crate) fn new(url: String) -> Self {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        Self {
            client: client.expect("a client"),
            url,
            keeps_broken_chunks: false,
        }
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let mut request = self
            .client
            .request(method, self.address(path))
            .body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer")
    }

    /// Sends the head of a PATCH with a body of `length` bytes, and only the first `sent` of them; then
    /// closes the connection. Waits for the interim answer, so that the session is known to have been
    /// accepted before anything else is asked of it.
    pub(crate) fn break_chunk(&self, session: &str, length: usize, sent: usize) {
        let url = Url::parse(&self.address(session)).expect("an address");
        let host = url.socket_addrs(|| None).expect("a host and a port");
        let target = &url[url::Position::BeforePath..];
        let head = format!(
            "PATCH {target} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/octet-stream\r\n\
             content-length: {length}\r\nexpect: 100-continue\r\n\r\n",
            host[0]
        );
        let mut connection = TcpStream::connect(host[0]).expect("a connection");
        connection.write_all(head.as_bytes()).expect("a head");
        let mut interim = [0; 25];
        connection.read_exact(&mut interim).expect("an answer");
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        connection.write_all(&vec![b'x'; sent]).expect("a body");
    }

    fn address(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.url)
        }
    }

    pub(crate) async fn start(&self) -> String {
        let answer = self
            .send(
                Method::POST,
                &format!("/v2/{NAME}/blobs/uploads/"),
                &[],
                b"",
            )
            .await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        location(&answer)
    }

    pub(crate) async fn push_blob(&self, bytes: &[u8]) -> String {
        let session = self.start().await;
        let digest = digest(bytes);
        let answer = self
            .send(Method::PUT, &closing(&session, &digest), &[], bytes)
            .await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        digest
    }

    pub(crate) async fn put_manifest(&self, reference: &str, document: &Value) -> Response {
        let path = format!("/v2/{NAME}/manifests/{reference}");
        let bytes = document.to_string().into_bytes();
        self.send(Method::PUT, &path, &[("content-type", MANIFEST)], &bytes)
            .await
    }

    /// Sends a manifest that must be refused with 400; returns the code.
    pub(crate) async fn refuse_manifest(
        &self,
        content_type: Option<&str>,
        document: &Value,
    ) -> String {
        let path = format!("/v2/{NAME}/manifests/refused");
        let bytes = document.to_string().into_bytes();
        let headers: Vec<_> = content_type
            .map(|value| ("content-type", value))
            .into_iter()
            .collect();
        let answer = self.send(Method::PUT, &path, &headers, &bytes).await;
        assert_eq!(
            answer.status(),
            StatusCode::BAD_REQUEST,
            "{content_type:?} {document}"
        );
        let accept = [("accept", "*/*")];
        let absent = self.send(Method::GET, &path, &accept, b"").await;
        assert_eq!(absent.status(), StatusCode::NOT_FOUND, "nothing is stored");
        code(answer).await
    }

    pub(crate) async fn blob_status(&self, digest: &str) -> StatusCode {
        self.send(
            Method::HEAD,
            &format!("/v2/{NAME}/blobs/{digest}"),
            &[],
            b"",
        )
        .await
        .status()
    }
}

pub(crate) fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

pub(crate) fn location(answer: &Response) -> String {
    header(answer, "location").to_owned()
}

pub(crate) fn closing(session: &str, digest: &str) -> String {
    let separator = if session.contains('?') { '&' } else { '?' };
    format!("{session}{separator}digest={digest}")
}

pub(crate) fn image(config: &str, config_size: usize, layers: &[(String, usize)]) -> Value {
    let layers: Vec<Value> = layers
        .iter()
        .map(|(digest, size)| json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size }))
        .collect();
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": config_size },
        "layers": layers,
    })
}

/// The code of the first error, `""` if the body is no error list.
pub(crate) async fn code(answer: Response) -> String {
    let body: Value =
        serde_json::from_slice(&answer.bytes().await.expect("a body")).unwrap_or_default();
    body["errors"][0]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Runs checks to their end.
pub(crate) fn block_on(checks: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(checks);
}
