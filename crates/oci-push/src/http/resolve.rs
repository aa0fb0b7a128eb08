//! Host names to addresses, with an error type that can be told from a refused connection.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The system's resolver.
#[derive(Debug)]
pub(super) struct SystemResolver;

/// A name that has no address, now or at all.
#[derive(Debug, thiserror::Error)]
#[error("no address was found for {name}")]
pub(super) struct ResolveError {
    name: String,
    source: std::io::Error,
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            // The port is replaced by the URL's.
            let looked_up = tokio::net::lookup_host((name.as_str(), 0))
                .await
                .map(Iterator::collect::<Vec<SocketAddr>>);
            match looked_up {
                Ok(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                Err(source) => Err(ResolveError { name, source }.into()),
            }
        })
    }
}
