//! A server's certificate: a configured one, or a self-signed one.

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::error::TlsError;
use super::provider::provider;
use super::self_signed;

const CERTIFICATE: &str = "the certificate";
const KEY: &str = "the certificate's private key";

/// A server's certificate, with its chain to an authority and its private key.
///
/// It is optional; see [`ServerBuilder::tls_certificate`](crate::ServerBuilder::tls_certificate).
#[derive(Clone)]
pub struct TlsCertificate {
    key: Arc<CertifiedKey>,
}

impl TlsCertificate {
    /// Reads PEM text: the chain with the server's certificate first, and its private key as PKCS #8, PKCS #1
    /// or SEC 1.
    ///
    /// # Errors
    /// The certificates or the key are malformed or of an unknown type, or the key does not belong to the
    /// certificate.
    pub fn from_pem(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(chain.as_ref())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unusable(CERTIFICATE, error))?;
        let key = PrivateKeyDer::from_pem_slice(key.as_ref()).map_err(|error| unusable(KEY, error))?;
        Self::new(chain, key)
    }

    /// Like [`TlsCertificate::from_pem`], from DER.
    ///
    /// # Errors
    /// Those of [`TlsCertificate::from_pem`].
    pub fn from_der(chain: impl IntoIterator<Item = Vec<u8>>, key: Vec<u8>) -> Result<Self, TlsError> {
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        let key = PrivateKeyDer::try_from(key).map_err(|error| unusable(KEY, error))?;
        Self::new(chain, key)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, TlsError> {
        if chain.is_empty() {
            return Err(unusable(CERTIFICATE, "the input contains none"));
        }
        let provider = provider()?;
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(|error| unusable(KEY, error))?;
        Ok(Self { key: Arc::new(key) })
    }

    /// Creates a self-signed certificate for one listener.
    pub(super) fn ephemeral() -> Result<Self, TlsError> {
        Ok(Self { key: Arc::new(self_signed::generate(&*provider()?)?) })
    }

    pub(super) fn resolver(&self) -> SingleCertAndKey {
        SingleCertAndKey::from(Arc::clone(&self.key))
    }
}

fn unusable(what: &'static str, problem: impl fmt::Display) -> TlsError {
    TlsError::Unusable { what, problem: problem.to_string() }
}

/// Equal certificates have the same key.
impl PartialEq for TlsCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.key.cert == other.key.cert
    }
}

impl Eq for TlsCertificate {}

impl fmt::Debug for TlsCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TlsCertificate").field("chain", &self.key.cert.len()).finish_non_exhaustive()
    }
}
