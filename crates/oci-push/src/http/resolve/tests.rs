//! A registry whose name service has a bad moment, or knows an address that leads nowhere (case F25).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Method;
use test_registry::{Options, TestRegistry};
use url::Url;

use super::*;
use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::http::{HttpSettings, HttpTransport};
use crate::observer::Silent;
use crate::request::{Request, Response, Transport};
use crate::retry::{RetryPolicy, RetryTransport};
use crate::step::Step;
use crate::tally::Tally;

/// Answers so many questions with a failure of the service, and the others with these addresses.
struct Service {
    failures: usize,
    asked: AtomicUsize,
    addresses: Vec<SocketAddr>,
}

impl Service {
    fn new(failures: usize, addresses: &[std::net::IpAddr]) -> Arc<Self> {
        let addresses = addresses.iter().map(|one| SocketAddr::new(*one, 0));
        Arc::new(Self {
            failures,
            asked: AtomicUsize::new(0),
            addresses: addresses.collect(),
        })
    }
}

impl Resolve for Service {
    fn resolve(&self, name: Name) -> Resolving {
        let is_down = self.asked.fetch_add(1, Ordering::Relaxed) < self.failures;
        let answer = if is_down {
            Err(ResolveError {
                name: name.as_str().to_owned(),
                // As the system's resolver tells SERVFAIL (EAI_AGAIN in getaddrinfo(3)).
                source: io::Error::other("Temporary failure in name resolution"),
            }
            .into())
        } else {
            Ok(Box::new(self.addresses.clone().into_iter()) as Addrs)
        };
        Box::pin(std::future::ready(answer))
    }
}

async fn ask(registry: &TestRegistry, service: &Arc<Service>) -> Result<Response, Failure> {
    let tally = Arc::new(Tally::default());
    let resolver = Resolver(Arc::<Service>::clone(service));
    let http = HttpTransport::resolving(&HttpSettings::default(), Arc::clone(&tally), resolver);
    let transport = RetryTransport::new(
        http.expect("a client"),
        RetryPolicy::default(),
        Arc::new(SystemClock),
        Arc::new(Silent),
        tally,
    );
    let host = registry.host().replace("127.0.0.1", "registry.example");
    let url = Url::parse(&format!("http://{host}/v2/")).expect("a URL");
    let request = Request::new(Step::CheckBlob, Method::GET, url);
    transport.send(&request).await
}

#[tokio::test]
async fn a_name_service_that_fails_twice() {
    let registry = TestRegistry::start(Options::default());
    let service = Service::new(2, &[Ipv4Addr::LOCALHOST.into()]);
    let response = ask(&registry, &service).await.expect("an answer");
    assert_eq!(response.status, 200);
    assert_eq!(service.asked.load(Ordering::Relaxed), 3);
}

/// Nobody waits for the first address to give up (<https://www.rfc-editor.org/rfc/rfc8305>).
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_swallows_everything() {
    use std::net::{Ipv6Addr, TcpListener, TcpStream};
    let registry = TestRegistry::start(Options::default());
    let port = registry
        .host()
        .rsplit_once(':')
        .expect("a port")
        .1
        .to_owned();
    let swallowing = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port.parse().expect("a number"));
    // A machine without IPv6 has no such address.
    let Ok(listener) = TcpListener::bind(swallowing) else {
        return;
    };
    // Once nobody accepts as many as may wait, the system drops what asks for a connection (listen(2)).
    let patience = Duration::from_millis(200);
    let connect = || TcpStream::connect_timeout(&swallowing, patience).ok();
    let waiting: Vec<TcpStream> = std::iter::from_fn(connect).take(10_000).collect();
    assert!(waiting.len() < 10_000, "connections are swallowed");
    let addresses = [Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
    let service = Service::new(0, &addresses);
    let start = std::time::Instant::now();
    let response = ask(&registry, &service).await.expect("an answer");
    assert_eq!(response.status, 200);
    // Half of what a connection is given: it was no second try.
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(service.asked.load(Ordering::Relaxed), 1);
    drop(listener);
}
