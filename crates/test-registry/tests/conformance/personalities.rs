//! What tells the personalities apart, and answers in other words: each of them is what it is called.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use reqwest::{Method, StatusCode};
use test_registry::{Action, Fault, Options, Personality, Spelling, TestRegistry};

use crate::support::{NAME, Subject, block_on, closing, digest, header, location};

const MIB: usize = 1024 * 1024;

fn start(personality: Personality) -> TestRegistry {
    let mut options = Options::default();
    options.personality = personality;
    TestRegistry::start(options)
}

/// What can be seen of a personality from outside.
#[derive(Debug, PartialEq, Eq)]
struct Ways {
    /// Whether addresses of sessions carry state.
    has_state: bool,
    /// The statuses of a chunk of five mebibytes, a second one, and one that leaves a gap.
    chunks: [u16; 3],
    /// The range after the second chunk.
    range: String,
    /// The status of a chunk of six mebibytes, of one byte, and of a blob of 21 million bytes.
    sizes: [u16; 3],
    /// Whether the chunks make the blob.
    adds_up: bool,
}

async fn ways(personality: Personality) -> Ways {
    let registry = start(personality);
    let subject = Subject::new(registry.url());
    let chunk = async |session: &str, start: usize, length: usize| {
        let range = format!("{start}-{}", start + length - 1);
        let headers = [("content-range", range.as_str())];
        let body = vec![1; length];
        subject.send(Method::PATCH, session, &headers, &body).await
    };
    let mut session = subject.start().await;
    let has_state = session.contains('?');
    let small = if personality == Personality::Ecr {
        5
    } else {
        4
    } * MIB;
    let mut chunks = [0; 3];
    let mut range = String::new();
    for (number, start) in [0, small].into_iter().enumerate() {
        let answer = chunk(&session, start, small).await;
        chunks[number] = answer.status().as_u16();
        if answer.headers().contains_key("location") {
            session = location(&answer);
            range = header(&answer, "range").to_owned();
        }
    }
    let whole = digest(&vec![1; 2 * small]);
    let answer = subject
        .send(Method::PUT, &closing(&session, &whole), &[], b"")
        .await;
    let adds_up = answer.status() == StatusCode::CREATED;
    let gap = chunk(&subject.start().await, 5, small).await;
    chunks[2] = gap.status().as_u16();
    let large = chunk(&subject.start().await, 0, 6 * MIB).await;
    let tiny = chunk(&subject.start().await, 0, 1).await;
    let blob = vec![2; 21_000_000];
    let address = closing(&subject.start().await, &digest(&blob));
    let blob = subject.send(Method::PUT, &address, &[], &blob).await;
    Ways {
        has_state,
        chunks,
        range,
        sizes: [&large, &tiny, &blob].map(|answer| answer.status().as_u16()),
        adds_up,
    }
}

#[test]
fn each_has_its_own_ways() {
    let specification = || Ways {
        has_state: true,
        chunks: [202, 202, 416],
        range: format!("0-{}", 8 * MIB - 1),
        sizes: [202, 202, 201],
        adds_up: true,
    };
    let ghcr = || Ways {
        has_state: false,
        sizes: [416, 202, 201],
        ..specification()
    };
    let distribution = || Ways {
        chunks: [202, 202, 202],
        ..specification()
    };
    for personality in Personality::ALL {
        let expected = match personality {
            Personality::Specification => specification(),
            Personality::Ghcr => ghcr(),
            Personality::GhcrOverwriting => Ways {
                chunks: [202, 202, 202],
                range: format!("0-{}", 4 * MIB - 1),
                adds_up: false,
                ..ghcr()
            },
            Personality::Ecr => Ways {
                has_state: false,
                chunks: [201, 201, 416],
                range: format!("0-{}", 5 * MIB - 1),
                sizes: [201, 400, 201],
                ..specification()
            },
            Personality::Gar => Ways {
                // One out of place is refused for that.
                chunks: [405, 416, 416],
                range: "0-0".to_owned(),
                sizes: [405, 405, 201],
                adds_up: false,
                ..specification()
            },
            Personality::Acr => Ways {
                sizes: [202, 202, 413],
                ..specification()
            },
            Personality::Distribution | Personality::Hub => distribution(),
            other => panic!("{other:?} has no expectation"),
        };
        block_on(async { assert_eq!(ways(personality).await, expected, "{personality:?}") });
    }
}

/// The bytes of an answer to `GET /v2/`, to a connection that is closed then.
fn on_the_wire(personality: Personality, faults: &[Action]) -> String {
    let registry = start(personality);
    for fault in faults {
        registry.fail(Fault::new(fault.clone()));
    }
    let mut connection = TcpStream::connect(registry.host()).expect("a connection");
    let head = "GET /v2/ HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    connection.write_all(head.as_bytes()).expect("a head");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Docker Hub's proxy is told from the registry behind it by its 429 alone.
#[test]
fn the_limit_of_the_hub() {
    let limit = Action::Answer {
        status: 429,
        headers: vec![("retry-after".to_owned(), "2".to_owned())],
        body: "<html>slow</html>".to_owned(),
    };
    let limits = [limit];
    let hub = on_the_wire(Personality::Hub, &limits);
    assert!(hub.starts_with("HTTP/1.1 429 Too Many Requests\n"), "{hub}");
    assert!(
        hub.contains("\nretry-after: 2\n") && !hub.contains('\r'),
        "{hub}"
    );
    assert!(hub.ends_with("\n\n<html>slow</html>"), "{hub}");
    let distribution = on_the_wire(Personality::Distribution, &limits);
    assert!(
        distribution.contains("\r\nretry-after: 2\r\n"),
        "{distribution}"
    );
    let good = on_the_wire(Personality::Hub, &[]);
    assert!(good.starts_with("HTTP/1.1 200 OK\r\n"), "{good}");
}

#[test]
fn spellings() {
    for (spelling, start, part, end) in [
        (
            Spelling::BareLineFeeds,
            "HTTP/1.1 200 OK\n",
            "content-length: 2\n",
            "\n\n{}",
        ),
        (
            Spelling::Capitals,
            "HTTP/1.1 200 OK\r\n",
            "CONTENT-TYPE:  application/json \t\r\n",
            "{}",
        ),
        (
            Spelling::NoReason,
            "HTTP/1.1 200 \r\n",
            "content-length: 2\r\n",
            "\r\n\r\n{}",
        ),
        (
            Spelling::InterimFirst,
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
            "",
            "{}",
        ),
        (
            Spelling::Http10,
            "HTTP/1.0 200 OK\r\n",
            "content-length: 2\r\n",
            "{}",
        ),
        (
            Spelling::UntilClose,
            "HTTP/1.1 200 OK\r\n",
            "connection: close\r\n",
            "\r\n\r\n{}",
        ),
        (
            Spelling::ClosesSilently,
            "HTTP/1.1 200 OK\r\n",
            "content-length: 2\r\n",
            "{}",
        ),
        (
            Spelling::ClosesAnnounced,
            "HTTP/1.1 200 OK\r\n",
            "connection: close\r\n",
            "{}",
        ),
        (
            Spelling::Chunked,
            "HTTP/1.1 200 OK\r\n",
            "transfer-encoding: chunked\r\n",
            "1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        ),
    ] {
        let answer = on_the_wire(Personality::Specification, &[Action::Spell(spelling)]);
        let is_so = answer.starts_with(start) && answer.contains(part) && answer.ends_with(end);
        assert!(is_so, "{spelling:?}: {answer:?}");
        let has_length = answer.contains("content-length");
        let wants_length = !matches!(spelling, Spelling::UntilClose | Spelling::Chunked);
        assert_eq!(has_length, wants_length, "{spelling:?}");
    }
}

/// Distribution cancels a session whose content has another digest; so do all of these.
#[test]
fn a_mismatch_ends_the_session() {
    for personality in Personality::ALL {
        let registry = start(personality);
        let subject = Subject::new(registry.url());
        block_on(async {
            let session = subject.start().await;
            let address = closing(&session, &digest(b"other"));
            let answer = subject.send(Method::PUT, &address, &[], b"content").await;
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{personality:?}");
            assert!(session.contains(NAME), "{session}");
            let answer = subject.send(Method::GET, &session, &[], b"").await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{personality:?}");
        });
    }
}
