//! Which cryptography TLS uses.

/// Makes ring the process's provider for TLS. May be called any number of times.
///
/// rustls takes whichever provider was installed first. We build it with ring alone, so that one that is already
/// there is ring too, and the refusal to install it twice is of no interest.
pub fn install_provider() {
    let _already_there = rustls::crypto::ring::default_provider().install_default();
}
