//! How the HTTP client is made of its settings.

use std::time::Duration;

use super::HttpSettings;
use super::resolve::Resolver;
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
use super::trickle;
use crate::failure::Failure;
use crate::roots;

/// Long enough for a distant host, short enough that an address that swallows packets is noticed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What becomes of a connection that has carried its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Idle {
    /// It waits for the next request.
    Kept,
    /// It is closed.
    Closed,
}

/// Makes a client, and tells whether the machine has certificates of its own.
pub(super) fn build(
    settings: &HttpSettings,
    idle: Idle,
    resolver: &Resolver,
) -> Result<(reqwest::Client, bool), Failure> {
    let unusable = |error: reqwest::Error| Failure::Client(error.into());
    let tls = &settings.tls;
    let authorities = match &tls.authorities {
        Some(pem) => reqwest::Certificate::from_pem_bundle(pem).map_err(unusable)?,
        None => Vec::new(),
    };
    let identity = match &tls.identity {
        Some(pem) => Some(reqwest::Identity::from_pem(pem).map_err(unusable)?),
        None => None,
    };
    let builder = || {
        let builder = reqwest::Client::builder()
            .user_agent(&settings.user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .http1_only()
            // A registry's odd header is not to hide what it says.
            .http1_ignore_invalid_headers_in_responses(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .dns_resolver(resolver.clone())
            .tls_danger_accept_invalid_certs(tls.insecure)
            .tls_certs_merge(authorities.iter().cloned());
        let builder = bears_no_stall(builder, settings.stall_timeout);
        let builder = match idle {
            Idle::Kept => builder,
            Idle::Closed => builder.pool_max_idle_per_host(0),
        };
        match &identity {
            Some(identity) => builder.identity(identity.clone()),
            None => builder,
        }
    };
    if let Ok(client) = builder().build() {
        return Ok((client, true));
    }
    tracing::debug!("no certificates on this machine; using Mozilla's");
    let roots = roots::bundled().filter_map(|der| reqwest::Certificate::from_der(der).ok());
    let roots = roots.chain(authorities.iter().cloned());
    let client = builder().tls_certs_only(roots).build();
    Ok((client.map_err(unusable)?, false))
}

/// Has the machine end connections whose peer acknowledges nothing for as long as `stall`, or takes little: what
/// fits into the machine's buffers would otherwise seem sent (<https://www.rfc-editor.org/rfc/rfc5482>, and
/// `TCP_USER_TIMEOUT` in tcp(7)). Only where it does not tell what is delivered ([`trickle`]): it ends connections, too,
/// whose peer is slow.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
fn bears_no_stall(builder: reqwest::ClientBuilder, stall: Duration) -> reqwest::ClientBuilder {
    // Left unsaid, the HTTP client would choose half a minute.
    builder.tcp_user_timeout((!trickle::is_told()).then_some(stall))
}

/// Elsewhere, there is no such thing.
#[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
fn bears_no_stall(builder: reqwest::ClientBuilder, _stall: Duration) -> reqwest::ClientBuilder {
    builder
}
