//! The way from a registry's public name to one on the loopback address: an HTTP proxy that ends TLS itself,
//! so that a command that names `ghcr.io` runs as it stands, and its bytes stay on this machine.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Bytes that are passed on at a time.
const BUFFER: usize = 1 << 16;

/// A running proxy. Its clients are told of it by `HTTPS_PROXY`, and of its certificate as they are told of
/// an authority's. It refuses every host that is not in its list.
#[derive(Debug)]
pub struct Front {
    address: SocketAddr,
    certificate: String,
    // Ends the proxy when it is dropped.
    _runtime: Runtime,
}

impl Front {
    /// Starts a proxy for hosts by name, each with the address of a server that speaks plain HTTP, such as a
    /// [`TestRegistry`](crate::TestRegistry) with [`Options::is_behind_tls`](crate::Options::is_behind_tls).
    ///
    /// # Errors
    ///
    /// If there is no port, no thread or no certificate to be had.
    pub fn start(hosts: &[(&str, &str)]) -> io::Result<Self> {
        let (config, certificate) = identity(hosts.iter().map(|(name, _)| (*name).to_owned()))
            .map_err(|error| io::Error::other(error.to_string()))?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let hosts: HashMap<String, String> = hosts
            .iter()
            .map(|(name, behind)| (format!("{name}:443"), (*behind).to_owned()))
            .collect();
        let hosts = Arc::new(hosts);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, hosts) = (acceptor.clone(), Arc::clone(&hosts));
                // Who goes away in the middle is not waited for.
                tokio::spawn(async move { serve(stream, &acceptor, &hosts).await });
            }
        });
        Ok(Self {
            address,
            certificate,
            _runtime: runtime,
        })
    }

    /// The value of `HTTPS_PROXY`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The certificate that a client has to trust, as PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }
}

/// A certificate for some names that vouches for itself.
fn identity(
    names: impl Iterator<Item = String>,
) -> Result<(ServerConfig, String), Box<dyn std::error::Error>> {
    let mut params = CertificateParams::new(names.collect::<Vec<_>>())?;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2099, 12, 31);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let private = PrivateKeyDer::try_from(key.serialize_der())?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, private)?;
    Ok((config, certificate.pem()))
}

/// Answers one `CONNECT`, and passes on what comes after it.
async fn serve(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    hosts: &HashMap<String, String>,
) -> io::Result<()> {
    // A client sends nothing after the empty line before it is answered, so nothing is lost in the buffer.
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
    }
    let mut stream = stream.into_inner();
    let mut words = first.split(' ');
    let behind = match (words.next(), words.next()) {
        (Some("CONNECT"), Some(host)) => hosts.get(host),
        _ => None,
    };
    let Some(behind) = behind else {
        let refusal = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        return stream.write_all(refusal.as_bytes()).await;
    };
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let mut outside = acceptor.accept(stream).await?;
    let mut inside = TcpStream::connect(behind.as_str()).await?;
    tokio::io::copy_bidirectional_with_sizes(&mut outside, &mut inside, BUFFER, BUFFER).await?;
    Ok(())
}
