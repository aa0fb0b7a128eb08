//! Registries over TLS: who is trusted, and that nobody else is told anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use oci_push::{Failure, PushOptions, Reference, UnansweredKind};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use test_registry::{Options, Personality, SampleImage, TestRegistry};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::support::{Pushed, Source, assert_published, push_to};

/// An authority that nobody trusts unless told to.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    /// A certificate for `name`, with its key, that was good until the end of `year`.
    fn issue(&self, name: &str, year: i32) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        (certificate, key)
    }
}

/// A registry behind a server that speaks TLS.
struct Guarded {
    registry: TestRegistry,
    address: std::net::SocketAddr,
    connections: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
}

/// How the server behaves.
struct Server {
    name: &'static str,
    year: i32,
    /// Handshakes that are cut off at first.
    cut: usize,
    /// Whether clients have to show a certificate of the authority's.
    asks_back: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            name: "localhost",
            year: 2099,
            cut: 0,
            asks_back: false,
        }
    }
}

impl Guarded {
    fn start(authority: &Authority, server: &Server) -> Self {
        let mut options = Options::default();
        // Its addresses are relative, so that they hold behind TLS too.
        options.personality = Personality::Ghcr;
        let registry = TestRegistry::start(options);
        let (certificate, key) = authority.issue(server.name, server.year);
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let builder = ServerConfig::builder();
        let builder = if server.asks_back {
            let mut roots = RootCertStore::empty();
            let own = CertificateDer::from(authority.0.der().to_vec());
            roots.add(own).expect("an authority");
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let config = builder.with_single_cert(chain, key).expect("a certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let (counted, behind, cut) = (Arc::clone(&connections), registry.host(), server.cut);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if counted.fetch_add(1, Ordering::Relaxed) < cut {
                    continue;
                }
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                tokio::spawn(async move {
                    // Who does not trust the server goes away, which is what is asserted.
                    let mut outside = acceptor.accept(stream).await.ok()?;
                    let mut inside = TcpStream::connect(behind).await.ok()?;
                    tokio::io::copy_bidirectional(&mut outside, &mut inside)
                        .await
                        .ok()
                });
            }
        });
        Self {
            registry,
            address,
            connections,
            _runtime: runtime,
        }
    }

    fn push(&self, source: &Source, prepare: impl FnOnce(&mut PushOptions)) -> Pushed {
        let mut options = PushOptions::default();
        prepare(&mut options);
        let port = self.address.port();
        let reference: Reference = format!("localhost:{port}/owner/app:1")
            .parse()
            .expect("a reference");
        push_to(&[reference], source, options)
    }
}

fn source() -> Source {
    Source::new(&SampleImage::of_layers(&[100_000]))
}

/// The push fails at once, for its certificate, and not a byte gets through.
#[track_caller]
fn assert_distrusted(guarded: &Guarded, pushed: &Pushed) {
    let failure = pushed.failure();
    let is_certificate = matches!(failure, Failure::Unanswered(unanswered)
        if matches!(unanswered.kind, UnansweredKind::Certificate(_)));
    assert!(is_certificate, "{failure:?}");
    assert_eq!(pushed.retries, [""; 0]);
    assert!(guarded.connections.load(Ordering::Relaxed) <= 2);
    assert_eq!(guarded.registry.journal().exchanges.len(), 0);
}

#[test]
fn an_authority_that_is_named_is_trusted() {
    let authority = Authority::new();
    let guarded = Guarded::start(&authority, &Server::default());
    let source = source();
    let pushed = guarded.push(&source, |options| {
        options.http.tls.authorities = Some(authority.pem());
    });
    pushed.report();
    assert_published(&guarded.registry, &source);
}

#[test]
fn one_that_is_not_named_is_not() {
    let authority = Authority::new();
    let guarded = Guarded::start(&authority, &Server::default());
    let pushed = guarded.push(&source(), |_| ());
    assert_distrusted(&guarded, &pushed);
    let other = Authority::new();
    let pushed = guarded.push(&source(), |options| {
        options.http.tls.authorities = Some(other.pem());
    });
    let failure = pushed.failure();
    assert!(matches!(failure, Failure::Unanswered(_)), "{failure:?}");
    assert_eq!(guarded.registry.journal().exchanges.len(), 0);
}

#[test]
fn a_certificate_that_has_expired_or_is_anothers() {
    let authority = Authority::new();
    for server in [
        Server {
            year: 2021,
            ..Server::default()
        },
        Server {
            name: "registry.example",
            ..Server::default()
        },
    ] {
        let guarded = Guarded::start(&authority, &server);
        let pushed = guarded.push(&source(), |options| {
            options.http.tls.authorities = Some(authority.pem());
        });
        assert_distrusted(&guarded, &pushed);
    }
}

#[test]
fn anybody_is_trusted_if_that_is_wanted() {
    let guarded = Guarded::start(&Authority::new(), &Server::default());
    let source = source();
    let pushed = guarded.push(&source, |options| options.http.tls.insecure = true);
    pushed.report();
    assert_published(&guarded.registry, &source);
}

#[test]
fn a_handshake_that_is_cut_off_is_begun_again() {
    let authority = Authority::new();
    let server = Server {
        cut: 2,
        ..Server::default()
    };
    let guarded = Guarded::start(&authority, &server);
    let source = source();
    let pushed = guarded.push(&source, |options| {
        options.http.tls.authorities = Some(authority.pem());
    });
    pushed.report();
    assert_published(&guarded.registry, &source);
    assert_eq!(pushed.retries.len(), 2, "{:?}", pushed.retries);
}

#[test]
fn a_server_that_wants_a_certificate() {
    let authority = Authority::new();
    let server = Server {
        asks_back: true,
        ..Server::default()
    };
    let guarded = Guarded::start(&authority, &server);
    let source = source();
    let (certificate, key) = authority.issue("client", 2099);
    let pushed = guarded.push(&source, |options| {
        options.http.tls.authorities = Some(authority.pem());
        let identity = format!("{}{}", certificate.pem(), key.serialize_pem());
        options.http.tls.identity = Some(identity.into_bytes());
    });
    pushed.report();
    assert_published(&guarded.registry, &source);
}

/// A registry without TLS is told from one that cannot be reached, and is not asked for long.
#[test]
fn a_registry_without_tls() {
    let registry = TestRegistry::start(Options::default());
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let reference: Reference = format!("{}/owner/app:1", registry.host())
        .parse()
        .expect("a reference");
    let pushed = push_to(&[reference], &source, PushOptions::default());
    let Failure::Unanswered(unanswered) = pushed.failure() else {
        panic!("{:?}", pushed.failure());
    };
    let kind = &unanswered.kind;
    assert!(matches!(kind, UnansweredKind::NotTls(_)), "{kind:?}");
    assert_eq!(pushed.retries.len(), 2, "{:?}", pushed.retries);
}
