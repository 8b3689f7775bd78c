//! The client's end of a TLS channel.
//!
//! Invariant: [`Connector::connect`] returns only streams with a binding. No configuration and no verifier
//! leaves this file.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{ClientConfig, DigitallySignedStruct, Error, PeerIncompatible, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::channel::{PROTOCOL, bound};
use super::error::TlsError;
use super::provider::provider;
use super::roots::TlsRoots;
use crate::transport::stream::Stream;

/// Creates the client's end of channels.
pub(in crate::transport) struct Connector {
    config: Arc<ClientConfig>,
    /// Whether the server's certificate must name the host.
    verifies: bool,
}

impl Connector {
    /// With `roots`, the server's certificate must come from one of them. Otherwise any certificate is
    /// accepted.
    pub(in crate::transport) fn new(roots: Option<&TlsRoots>) -> Result<Self, TlsError> {
        let provider = provider()?;
        let algorithms = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| TlsError::from(&error))?;
        let mut config = match roots {
            Some(roots) => builder.with_webpki_verifier(roots.verifier()),
            None => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate { algorithms }))
            }
        }
        .with_no_client_auth();
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        Ok(Self { config: Arc::new(config), verifies: roots.is_some() })
    }

    /// Establishes a channel over a connection to this host.
    pub(in crate::transport) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> Result<Stream, TlsError> {
        let name = match ServerName::try_from(host) {
            Ok(name) => name.to_owned(),
            // Without verification, the name in the certificate does not matter.
            Err(_) if !self.verifies => ServerName::from(peer.ip()),
            Err(_) => return Err(TlsError::HostName { host: host.to_owned() }),
        };
        let channel = TlsConnector::from(Arc::clone(&self.config))
            .connect(name, stream)
            .await
            .map_err(TlsError::of_handshake)?;
        bound(channel, peer)
    }
}

/// Accepts any certificate whose private key the server has. This is secure only because the handshake's
/// proofs, which are bound to the channel, authenticate the server.
#[derive(Debug)]
struct AnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
