//! The one TLS provider of the process.

/// Installs ring as the process's TLS provider. Calling it again changes nothing.
pub fn install() {
    // An error only says that a provider is installed already, which is what was wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
