//! The files that say whom to trust, and whom to be.

use std::path::Path;

use oci_push::TlsSettings;

use crate::args::Arguments;
use crate::error::CliError;

/// Reads what the options name.
///
/// # Errors
///
/// If a file cannot be read. Whether it holds what it should is seen when the client is set up.
pub(crate) fn read(arguments: &Arguments) -> Result<TlsSettings, CliError> {
    let bytes = |path: &Path| {
        std::fs::read(path).map_err(|error| {
            CliError::usage(format!("{} cannot be read", path.display())).caused_by(&error)
        })
    };
    let mut tls = TlsSettings::default();
    tls.insecure = arguments.insecure;
    if let Some(path) = &arguments.ca_file {
        let authorities = bytes(path)?;
        // A file without any would be no mistake to the HTTP client, and trust nobody more.
        if !String::from_utf8_lossy(&authorities).contains("-----BEGIN CERTIFICATE-----") {
            let message = format!("{} holds no certificate in PEM form", path.display());
            return Err(CliError::usage(message));
        }
        tls.authorities = Some(authorities);
    }
    if let (Some(certificate), Some(key)) = (&arguments.cert_file, &arguments.key_file) {
        let mut identity = bytes(certificate)?;
        identity.push(b'\n');
        identity.extend(bytes(key)?);
        tls.identity = Some(identity);
    }
    Ok(tls)
}
