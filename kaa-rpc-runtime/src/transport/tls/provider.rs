//! The cryptography: graviola, or ring with the feature `tls-ring`.
//!
//! Invariant: graviola is not used on a processor on which it would panic.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

use super::error::TlsError;

/// The cryptography provider.
#[cfg(feature = "tls-ring")]
#[expect(clippy::unnecessary_wraps, reason = "the other version can fail")]
pub(super) fn provider() -> Result<Arc<CryptoProvider>, TlsError> {
    Ok(Arc::new(rustls::crypto::ring::default_provider()))
}

/// The cryptography provider.
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
compile_error!("the feature \"tls\" supports only x86_64 and aarch64; use \"tls-ring\" for other processors");

#[cfg(not(any(feature = "tls", feature = "tls-ring")))]
compile_error!("the feature \"_tls\" is internal; enable \"tls\" or \"tls-ring\"");
