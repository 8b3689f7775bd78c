//! The server's end of a TLS channel.
//!
//! Invariant: [`Acceptor::start`] does no I/O. The handshake runs later, in the task of its connection.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::certificate::TlsCertificate;
use super::channel::{PROTOCOL, bound};
use super::error::TlsError;
use super::provider::provider;
use crate::transport::stream::Stream;

/// Creates the server's end of channels.
#[derive(Debug)]
pub(in crate::transport) struct Acceptor {
    config: Arc<ServerConfig>,
}

impl Acceptor {
    /// Uses the certificate, or creates one.
    pub(in crate::transport) fn new(certificate: Option<&TlsCertificate>) -> Result<Self, TlsError> {
        let certificate = certificate.cloned().map_or_else(TlsCertificate::ephemeral, Ok)?;
        let mut config = ServerConfig::builder_with_provider(provider()?)
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| TlsError::from(&error))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certificate.resolver()));
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        Ok(Self { config: Arc::new(config) })
    }

    /// Prepares the handshake on a connection. Nothing is read or written yet.
    pub(in crate::transport) fn start(&self, stream: TcpStream, peer: SocketAddr) -> Handshake {
        Handshake { config: Arc::clone(&self.config), stream, peer }
    }
}

/// A connection whose TLS handshake has not begun.
#[derive(Debug)]
pub(in crate::transport) struct Handshake {
    config: Arc<ServerConfig>,
    stream: TcpStream,
    peer: SocketAddr,
}

impl Handshake {
    pub(in crate::transport) async fn run(self) -> Result<Stream, TlsError> {
        let channel =
            TlsAcceptor::from(self.config).accept(self.stream).await.map_err(TlsError::of_handshake)?;
        bound(channel, self.peer)
    }
}
