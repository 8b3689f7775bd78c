//! Connects to an address.

use super::address::Address;
use super::error::TransportError;
use super::options::ConnectOptions;
use super::stream::Stream;
#[cfg(feature = "_tls")]
use super::{options::Plaintext, tls};
use super::{stdio, tcp, unix};

/// Connects to an address. Dropping the future cancels the attempt and releases all resources.
///
/// # Errors
/// The connection failed.
pub async fn connect(address: &Address, options: &ConnectOptions) -> Result<Stream, TransportError> {
    match address {
        Address::Unix(path) => {
            let name = unix::path_name(path)?;
            Ok(Stream::unix(unix::connect(address, &name).await?, address.clone()))
        }
        Address::UnixAbstract(name) => {
            let name = unix::abstract_name(address, name)?;
            Ok(Stream::unix(unix::connect(address, &name).await?, address.clone()))
        }
        Address::Tcp { host, port } => {
            let (stream, peer) = tcp::connect(address, host, *port, options.plaintext).await?;
            Ok(Stream::tcp(stream, peer))
        }
        #[cfg(feature = "_tls")]
        Address::Tls { host, port } => {
            let failed = |source| TransportError::Tls { address: address.clone(), source };
            let connector = tls::Connector::new(options.tls_roots.as_ref()).map_err(failed)?;
            let (stream, peer) = tcp::connect(address, host, *port, Plaintext::Anywhere).await?;
            connector.connect(host, stream, peer).await.map_err(failed)
        }
        Address::Stdio => stdio::take(),
        Address::Inherited { .. } => Err(TransportError::ListenOnly { address: address.clone() }),
    }
}
