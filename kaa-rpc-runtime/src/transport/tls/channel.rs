//! A TLS channel and what binds the handshake's proofs to it: one thing.
//!
//! Invariant: this is the only way from a TLS session to a [`Stream`], and it asks the session for its binding.

use std::net::SocketAddr;

use rustls::ConnectionCommon;
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

use super::error::TlsError;
use crate::protocol::handshake::ChannelBinding;
use crate::transport::stream::{PeerAddress, Stream};

/// What both ends say that they will speak within.
pub(super) const PROTOCOL: &[u8] = b"kaa-rpc/1";

/// The label of RFC 9266.
const BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// The stream of a session whose handshake is done.
pub(super) fn bound(channel: impl Into<TlsStream<TcpStream>>, peer: SocketAddr) -> Result<Stream, TlsError> {
    let channel = channel.into();
    let binding = match &channel {
        TlsStream::Client(channel) => binding_of(channel.get_ref().1),
        TlsStream::Server(channel) => binding_of(channel.get_ref().1),
    }?;
    Ok(Stream::bound(channel, PeerAddress::Tls(peer), binding))
}

fn binding_of<Side>(session: &ConnectionCommon<Side>) -> Result<ChannelBinding, TlsError> {
    // A peer that names no protocol at all passes TLS's own check.
    if session.alpn_protocol() != Some(PROTOCOL) {
        return Err(TlsError::OtherProtocol);
    }
    session
        .export_keying_material([0; 32], BINDING_LABEL, Some(&[]))
        .map(ChannelBinding::tls_exporter)
        .map_err(|error| TlsError::from(&error))
}
