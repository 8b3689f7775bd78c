//! The cryptography: graviola, or ring where that was chosen.
//!
//! Invariant: graviola is not called on a processor that it would panic on.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

use super::error::TlsError;

/// What TLS is made with here.
#[cfg(feature = "tls-ring")]
#[expect(clippy::unnecessary_wraps, reason = "the other one can fail")]
pub(super) fn provider() -> Result<Arc<CryptoProvider>, TlsError> {
    Ok(Arc::new(rustls::crypto::ring::default_provider()))
}

/// What TLS is made with here.
#[cfg(all(feature = "tls", not(feature = "tls-ring"), any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn provider() -> Result<Arc<CryptoProvider>, TlsError> {
    if !graviola::util::is_cpu_supported() {
        return Err(TlsError::Processor);
    }
    Ok(Arc::new(rustls_graviola::default_provider()))
}

#[cfg(all(
    feature = "tls",
    not(feature = "tls-ring"),
    not(any(target_arch = "x86_64", target_arch = "aarch64"))
))]
compile_error!("the feature \"tls\" is for x86_64 and aarch64; \"tls-ring\" is for other processors too");

#[cfg(not(any(feature = "tls", feature = "tls-ring")))]
compile_error!("the feature \"_tls\" is not for use by itself: choose \"tls\" or \"tls-ring\"");
