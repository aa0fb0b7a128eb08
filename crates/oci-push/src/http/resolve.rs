//! Host names to addresses, with an error type that can be told from a refused connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// How long a name is looked up. Resolvers turn to the second server after five seconds (`resolv.conf(5)`); it is less than
/// what a connection is given, so that a dead name service is not taken for a dead registry.
const PATIENCE: Duration = Duration::from_secs(8);

/// The way from names to addresses.
#[derive(Clone)]
pub(super) struct Resolver(Arc<dyn Resolve>);

impl Resolver {
    /// The system's.
    pub(super) fn of_system() -> Self {
        Self(Arc::new(SystemResolver))
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        self.0.resolve(name)
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Resolver")
    }
}

/// The system's resolver.
#[derive(Debug)]
struct SystemResolver;

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
            let looking = tokio::net::lookup_host((name.as_str(), 0));
            let looked_up = match tokio::time::timeout(PATIENCE, looking).await {
                Ok(looked_up) => looked_up.map(Iterator::collect::<Vec<SocketAddr>>),
                Err(_) => Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!(
                        "the name service did not answer within {} s",
                        PATIENCE.as_secs()
                    ),
                )),
            };
            match looked_up {
                Ok(addresses) => Ok(Box::new(addresses.into_iter()) as Addrs),
                Err(source) => Err(ResolveError { name, source }.into()),
            }
        })
    }
}

#[cfg(test)]
mod tests;
