//! The embedded registry is not kinder than a real one: one list of checks, run against each of its
//! personalities and against Distribution, where Debian's `docker-registry` is installed.
//!
//! What only the embedded registry does (ghcr.io's ways, faults, tokens) is checked where it is used, in the engine's and the binary's tests.

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use test_registry::{Distribution, Options, Personality, TestRegistry, installed};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const NAME: &str = "owner/app";

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex = hash
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!("sha256:{hex}")
}

/// A registry under test.
struct Subject {
    client: Client,
    url: String,
}

impl Subject {
    fn new(url: String) -> Self {
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        Self {
            client: client.expect("a client"),
            url,
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.url)
        };
        let mut request = self.client.request(method, url).body(body.to_vec());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer")
    }

    async fn start(&self) -> String {
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

    async fn push_blob(&self, bytes: &[u8]) -> String {
        let session = self.start().await;
        let digest = digest(bytes);
        let answer = self
            .send(Method::PUT, &closing(&session, &digest), &[], bytes)
            .await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        digest
    }

    async fn put_manifest(&self, reference: &str, document: &Value) -> Response {
        let path = format!("/v2/{NAME}/manifests/{reference}");
        let bytes = document.to_string().into_bytes();
        self.send(Method::PUT, &path, &[("content-type", MANIFEST)], &bytes)
            .await
    }

    async fn blob_status(&self, digest: &str) -> StatusCode {
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

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn location(answer: &Response) -> String {
    header(answer, "location").to_owned()
}

fn closing(session: &str, digest: &str) -> String {
    let separator = if session.contains('?') { '&' } else { '?' };
    format!("{session}{separator}digest={digest}")
}

fn image(config: &str, config_size: usize, layers: &[(String, usize)]) -> Value {
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
async fn code(answer: Response) -> String {
    let body: Value =
        serde_json::from_slice(&answer.bytes().await.expect("a body")).unwrap_or_default();
    body["errors"][0]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Everything that any registry must do or refuse.
async fn conform(subject: &Subject) {
    missing_blob(subject).await;
    streamed_upload(subject).await;
    chunked_upload(subject).await;
    wrong_digest(subject).await;
    unknown_session(subject).await;
    closed_session(subject).await;
    manifests(subject).await;
    bad_manifests(subject).await;
    mount(subject).await;
}

async fn missing_blob(subject: &Subject) {
    let absent = digest(b"absent");
    assert_eq!(subject.blob_status(&absent).await, StatusCode::NOT_FOUND);
    let answer = subject
        .send(Method::GET, &format!("/v2/{NAME}/blobs/{absent}"), &[], b"")
        .await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(code(answer).await, "BLOB_UNKNOWN");
}

async fn streamed_upload(subject: &Subject) {
    let digest = subject.push_blob(b"streamed").await;
    let answer = subject
        .send(
            Method::HEAD,
            &format!("/v2/{NAME}/blobs/{digest}"),
            &[],
            b"",
        )
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(header(&answer, "content-length"), "8");
    assert_eq!(header(&answer, "docker-content-digest"), digest);
    let answer = subject
        .send(Method::GET, &format!("/v2/{NAME}/blobs/{digest}"), &[], b"")
        .await;
    assert_eq!(answer.bytes().await.expect("a body"), "streamed");
}

async fn chunked_upload(subject: &Subject) {
    let content = b"first chunk, second chunk, the rest";
    let mut session = subject.start().await;
    for (start, end) in [(0, 13), (13, 27)] {
        let range = format!("{start}-{}", end - 1);
        let headers = [
            ("content-range", range.as_str()),
            ("content-type", "application/octet-stream"),
        ];
        let answer = subject
            .send(Method::PATCH, &session, &headers, &content[start..end])
            .await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(header(&answer, "range"), format!("0-{}", end - 1));
        session = location(&answer);
    }
    let answer = subject.send(Method::GET, &session, &[], b"").await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(header(&answer, "range"), "0-26");
    let session = location(&answer);
    let digest = digest(content);
    let answer = subject
        .send(
            Method::PUT,
            &closing(&session, &digest),
            &[],
            &content[27..],
        )
        .await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert_eq!(header(&answer, "docker-content-digest"), digest);
    assert_eq!(subject.blob_status(&digest).await, StatusCode::OK);
}

async fn wrong_digest(subject: &Subject) {
    let session = subject.start().await;
    let claimed = digest(b"something else");
    let answer = subject
        .send(Method::PUT, &closing(&session, &claimed), &[], b"content")
        .await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(code(answer).await, "DIGEST_INVALID");
    assert_eq!(subject.blob_status(&claimed).await, StatusCode::NOT_FOUND);
    assert_eq!(
        subject.blob_status(&digest(b"content")).await,
        StatusCode::NOT_FOUND
    );
}

async fn unknown_session(subject: &Subject) {
    let session = subject.start().await;
    let path = session.split('?').next().unwrap_or(&session);
    let other = format!("{}0", &path[..path.len() - 1].trim_end_matches('0'));
    let answer = subject.send(Method::PATCH, &other, &[], b"content").await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{other}");
}

async fn closed_session(subject: &Subject) {
    let session = subject.start().await;
    let closing = closing(&session, &digest(b"once"));
    assert_eq!(
        subject
            .send(Method::PUT, &closing, &[], b"once")
            .await
            .status(),
        StatusCode::CREATED
    );
    let again = subject.send(Method::PUT, &closing, &[], b"once").await;
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    assert_eq!(code(again).await, "BLOB_UPLOAD_UNKNOWN");
}

async fn manifests(subject: &Subject) {
    let config = subject.push_blob(b"{}").await;
    let layer = subject.push_blob(b"layer").await;
    let document = image(&config, 2, &[(layer, 5)]);
    let bytes = document.to_string().into_bytes();
    let expected = digest(&bytes);
    for reference in ["one", "two", &expected] {
        let answer = subject.put_manifest(reference, &document).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(header(&answer, "docker-content-digest"), expected);
    }
    for reference in ["one", &expected] {
        let path = format!("/v2/{NAME}/manifests/{reference}");
        let accept = [("accept", MANIFEST)];
        let answer = subject.send(Method::HEAD, &path, &accept, b"").await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(header(&answer, "docker-content-digest"), expected);
        let answer = subject.send(Method::GET, &path, &accept, b"").await;
        assert_eq!(header(&answer, "content-type"), MANIFEST);
        assert_eq!(
            answer.bytes().await.expect("a body"),
            bytes,
            "byte for byte"
        );
    }
    let answer = subject
        .send(Method::GET, &format!("/v2/{NAME}/tags/list"), &[], b"")
        .await;
    let tags: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(tags["tags"], json!(["one", "two"]));
    let path = format!("/v2/{NAME}/manifests/three");
    let absent = subject
        .send(Method::GET, &path, &[("accept", MANIFEST)], b"")
        .await;
    assert_eq!(absent.status(), StatusCode::NOT_FOUND);
    assert_eq!(code(absent).await, "MANIFEST_UNKNOWN");
}

async fn bad_manifests(subject: &Subject) {
    let config = subject.push_blob(b"{}").await;
    let absent = digest(b"never pushed");
    let answer = subject
        .put_manifest("bad", &image(&config, 2, &[(absent, 12)]))
        .await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(code(answer).await, "MANIFEST_BLOB_UNKNOWN");

    let sound = image(&config, 2, &[]);
    let answer = subject.put_manifest(&digest(b"another"), &sound).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(code(answer).await, "DIGEST_INVALID");

    let answer = subject.put_manifest("bad", &json!("no manifest")).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(code(answer).await, "MANIFEST_INVALID");
    let path = format!("/v2/{NAME}/manifests/bad");
    assert_eq!(
        subject.send(Method::GET, &path, &[], b"").await.status(),
        StatusCode::NOT_FOUND
    );
}

async fn mount(subject: &Subject) {
    let digest = subject.push_blob(b"to be mounted").await;
    let path = format!("/v2/owner/other/blobs/uploads/?mount={digest}&from={NAME}");
    let answer = subject.send(Method::POST, &path, &[], b"").await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer = subject
        .send(
            Method::HEAD,
            &format!("/v2/owner/other/blobs/{digest}"),
            &[],
            b"",
        )
        .await;
    assert_eq!(answer.status(), StatusCode::OK);
    // What is not there is no error: the answer is an upload session.
    let absent = self::digest(b"absent");
    let path = format!("/v2/owner/other/blobs/uploads/?mount={absent}&from={NAME}");
    let answer = subject.send(Method::POST, &path, &[], b"").await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert!(!location(&answer).is_empty());
}

fn run(subject: &Subject) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(conform(subject));
}

#[test]
fn the_specification_personality() {
    let registry = TestRegistry::start(Options::default());
    run(&Subject::new(registry.url()));
}

#[test]
fn the_ghcr_personality() {
    let mut options = Options::default();
    options.personality = Personality::Ghcr;
    let registry = TestRegistry::start(options);
    run(&Subject::new(registry.url()));
}

/// The embedded registry is stricter here than Distribution 2.8, which ignores `Content-Range`.
#[test]
fn a_chunk_at_the_wrong_place_is_refused() {
    let registry = TestRegistry::start(Options::default());
    let subject = Subject::new(registry.url());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut session = subject.start().await;
        for range in ["5-9", "0-9", "4-0", "nonsense", "0-4/5"] {
            let answer = subject
                .send(
                    Method::PATCH,
                    &session,
                    &[("content-range", range)],
                    b"12345",
                )
                .await;
            assert_eq!(
                answer.status(),
                StatusCode::RANGE_NOT_SATISFIABLE,
                "{range}"
            );
            assert_eq!(header(&answer, "range"), "0-0", "where to go on");
            session = location(&answer);
        }
    });
}

#[test]
fn distribution() {
    if installed(&["docker-registry"]) {
        let registry = Distribution::start().expect("docker-registry starts");
        run(&Subject::new(registry.url()));
    }
}
