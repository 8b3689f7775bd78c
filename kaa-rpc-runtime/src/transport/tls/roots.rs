//! The certificate authorities that a client accepts.

use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::TlsError;
use super::provider::provider;

const AUTHORITIES: &str = "the list of certificate authorities";

/// Certificate authorities. A server's certificate must come from one of them and name the host of the
/// address.
///
/// They are optional; see [`ClientBuilder::tls_verify`](crate::ClientBuilder::tls_verify).
#[derive(Clone)]
pub struct TlsRoots {
    authorities: Vec<CertificateDer<'static>>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl TlsRoots {
    /// Reads PEM text with one or more certificates, for example the list of the operating system.
    ///
    /// # Errors
    /// The text is malformed or contains no certificate.
    pub fn from_pem(authorities: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        let authorities = CertificateDer::pem_slice_iter(authorities.as_ref())
            .collect::<Result<Vec<_>, _>>()
            .map_err(unusable)?;
        Self::new(authorities)
    }

    /// Like [`TlsRoots::from_pem`], from DER.
    ///
    /// # Errors
    /// Those of [`TlsRoots::from_pem`].
    pub fn from_der(authorities: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, TlsError> {
        Self::new(authorities.into_iter().map(CertificateDer::from).collect())
    }

    fn new(authorities: Vec<CertificateDer<'static>>) -> Result<Self, TlsError> {
        if authorities.is_empty() {
            return Err(unusable("the input contains none"));
        }
        let mut store = RootCertStore::empty();
        for authority in &authorities {
            store.add(authority.clone()).map_err(unusable)?;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider()?)
            .build()
            .map_err(unusable)?;
        Ok(Self { authorities, verifier })
    }

    pub(super) fn verifier(&self) -> Arc<WebPkiServerVerifier> {
        Arc::clone(&self.verifier)
    }
}

fn unusable(problem: impl fmt::Display) -> TlsError {
    TlsError::Unusable { what: AUTHORITIES, problem: problem.to_string() }
}

impl PartialEq for TlsRoots {
    fn eq(&self, other: &Self) -> bool {
        self.authorities == other.authorities
    }
}

impl Eq for TlsRoots {}

impl fmt::Debug for TlsRoots {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TlsRoots")
            .field("authorities", &self.authorities.len())
            .finish_non_exhaustive()
    }
}
