//! Whom to trust where the machine trusts nobody: a slim container has no certificates at all, and an HTTP
//! client cannot even be made there (<https://github.com/seanmonstar/reqwest/issues/2965>).
//!
//! The machine's own certificates come first wherever there are any; a company's own authority is among
//! those.

/// Mozilla's certificate authorities, as DER.
pub(crate) fn bundled() -> impl Iterator<Item = &'static [u8]> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(AsRef::as_ref)
}
