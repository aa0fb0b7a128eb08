//! The proxy before a registry: it leads where it is told to, and nowhere else.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use test_registry::{Front, Options, TestRegistry};

/// The first line of the answer to a request.
fn answer(front: &Front, request: &str) -> String {
    let address = front.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("{request} HTTP/1.1\r\nhost: somewhere\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = [0; 64];
    let count = stream.read(&mut answer).expect("it answers");
    let text = String::from_utf8_lossy(&answer[..count]).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn only_known_hosts_are_reached() {
    let registry = TestRegistry::start(Options::default());
    let front = Front::start(&[("ghcr.io", &registry.host())]).expect("a proxy");
    assert!(
        front
            .certificate()
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
    for (request, expected) in [
        ("CONNECT ghcr.io:443", "HTTP/1.1 200 OK"),
        ("CONNECT ghcr.io:80", "HTTP/1.1 403 Forbidden"),
        ("CONNECT example.com:443", "HTTP/1.1 403 Forbidden"),
        ("GET http://ghcr.io/v2/", "HTTP/1.1 403 Forbidden"),
    ] {
        assert_eq!(answer(&front, request), expected, "{request}");
    }
    assert_eq!(registry.journal().exchanges.len(), 0);
}

/// Behind TLS the token service is one with TLS.
#[test]
fn the_token_service_is_named_as_it_is_reached() {
    for (is_behind_tls, scheme) in [(true, "https"), (false, "http")] {
        let mut options = Options::ghcr("octocat", "secret");
        options.is_behind_tls = is_behind_tls;
        let registry = TestRegistry::start(options);
        let mut stream = TcpStream::connect(registry.host()).expect("it listens");
        let request = "GET /v2/ HTTP/1.1\r\nhost: ghcr.io\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let realm = format!("realm=\"{scheme}://ghcr.io/token\"");
        assert!(answer.contains(&realm), "{answer}");
    }
}
