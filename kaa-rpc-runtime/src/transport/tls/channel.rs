//! Turns a TLS session into a stream with its channel binding.
//!
//! Invariant: this is the only way from a TLS session to a [`Stream`], and it reads the binding from the
//! session.

use std::net::SocketAddr;

use rustls::ConnectionCommon;
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

use super::error::TlsError;
use crate::protocol::handshake::ChannelBinding;
use crate::transport::stream::{PeerAddress, Stream};

/// The application protocol (ALPN) of both ends.
pub(super) const PROTOCOL: &[u8] = b"kaa-rpc/1";

/// The label of RFC 9266.
const BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// Creates the stream of a session whose handshake is complete.
pub(super) fn bound(channel: impl Into<TlsStream<TcpStream>>, peer: SocketAddr) -> Result<Stream, TlsError> {
    let channel = channel.into();
    let binding = match &channel {
        TlsStream::Client(channel) => binding_of(channel.get_ref().1),
        TlsStream::Server(channel) => binding_of(channel.get_ref().1),
    }?;
    Ok(Stream::bound(channel, PeerAddress::Tls(peer), binding))
}

fn binding_of<Side>(session: &ConnectionCommon<Side>) -> Result<ChannelBinding, TlsError> {
    // TLS itself accepts a peer that names no protocol.
    if session.alpn_protocol() != Some(PROTOCOL) {
        return Err(TlsError::OtherProtocol);
    }
    session
        .export_keying_material([0; 32], BINDING_LABEL, Some(&[]))
        .map(ChannelBinding::tls_exporter)
        .map_err(|error| TlsError::from(&error))
}
