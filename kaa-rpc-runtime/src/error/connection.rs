//! Why a connection could not be established, or why it ended.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use crate::protocol::error::ProtocolError;
use crate::secret::SecretError;
use crate::transport::TransportError;

/// Why a connection ended, or why a call found no connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum CloseReason {
    /// This side closed it, or its [`Client`](crate::Client) or [`Server`](crate::Server) was dropped.
    ClosedLocally,
    /// The peer sent a goodbye.
    ClosedByPeer {
        /// The peer's reason; empty if it gave none.
        message: String,
    },
    /// The transport ended without a goodbye.
    ConnectionLost(Option<Arc<io::Error>>),
    /// The connection could not be established.
    NotConnected(ConnectError),
    /// The peer violated the protocol, so this side closed the connection.
    Protocol(ProtocolError),
    /// The peer did not read or send anything for too long.
    PeerStalled,
}

impl CloseReason {
    /// The exit status of the child process at the other end, if the connection ended because the child did,
    /// and not because one side closed it. Child processes need the feature `process`.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        let (Self::ConnectionLost(Some(error)) | Self::NotConnected(ConnectError::Io(error))) = self else {
            return None;
        };
        error.get_ref()?.downcast_ref::<ProcessEnded>().map(|ended| ended.status)
    }
}

/// A child process ended. This is the cause of a [`CloseReason::ConnectionLost`] or a [`ConnectError::Io`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the child process {pid} ended with {status}")]
#[non_exhaustive]
pub struct ProcessEnded {
    /// Its process id.
    pub pid: u32,
    /// Its exit status.
    pub status: ExitStatus,
}

impl PartialEq for CloseReason {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::ClosedLocally, Self::ClosedLocally) | (Self::PeerStalled, Self::PeerStalled) => true,
            (Self::ClosedByPeer { message: a }, Self::ClosedByPeer { message: b }) => a == b,
            (Self::ConnectionLost(a), Self::ConnectionLost(b)) => {
                a.as_ref().map(|error| error.kind()) == b.as_ref().map(|error| error.kind())
            }
            (Self::NotConnected(a), Self::NotConnected(b)) => a.to_string() == b.to_string(),
            (Self::Protocol(a), Self::Protocol(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedLocally => formatter
                .write_str("the connection was closed locally: it was shut down, or its owner was dropped"),
            Self::ClosedByPeer { message } if message.is_empty() => {
                formatter.write_str("the peer closed the connection")
            }
            Self::ClosedByPeer { message } => write!(formatter, "the peer closed the connection: {message}"),
            Self::ConnectionLost(None) => formatter.write_str("the connection was lost"),
            Self::ConnectionLost(Some(error)) => write!(formatter, "the connection was lost: {error}"),
            Self::NotConnected(error) => write!(formatter, "not connected: {error}"),
            Self::Protocol(error) => {
                write!(formatter, "the connection was closed after a protocol violation: {error}")
            }
            Self::PeerStalled => formatter.write_str("the peer stopped responding"),
        }
    }
}

/// The text includes the cause, so there is no source.
impl Error for CloseReason {}

/// Why a client has no connection.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Authentication failed.
    #[error("authentication failed: {0}")]
    Authentication(AuthenticationError),
    /// The peers have no protocol version in common.
    #[error("no protocol version in common: this side supports {ours:?}, the peer {theirs:?}")]
    Version {
        /// Versions of this side.
        ours: Vec<u8>,
        /// Versions of the peer.
        theirs: Vec<u8>,
    },
    /// The peers' schemas are incompatible.
    #[error("the peers' schemas are incompatible: {0}")]
    Schema(String),
    /// The server accepts no more connections at the moment.
    #[error("the server is busy")]
    Busy {
        /// When to retry, if the server gave a time.
        retry_after: Option<Duration>,
    },
    /// The first connection is not established yet, and the caller does not wait for it:
    /// [`Peer::fail_fast`](crate::Peer::fail_fast).
    #[error("still connecting")]
    StillConnecting,
    /// The client connected to a server of the same program that uses the same instance id.
    #[error("the client connected to itself")]
    SelfConnection,
    /// The handshake did not finish in time.
    #[error("the handshake did not finish within {0:?}")]
    Timeout(Duration),
    /// The peer does not use this protocol, or violated it.
    #[error("{0}")]
    Protocol(String),
    /// The transport could not connect.
    #[error("{}", Chain(.0.as_ref()))]
    Transport(Arc<TransportError>),
    /// The secret source returned an error.
    #[error("the secret is not available: {0}")]
    Secret(Arc<SecretError>),
    /// The connection was lost during the handshake.
    #[error("the connection was lost during the handshake: {0}")]
    Io(Arc<io::Error>),
}

impl ConnectError {
    /// Whether a later attempt may succeed without a change of configuration.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Timeout(_) | Self::Io(_) | Self::Secret(_) | Self::StillConnecting => {
                true
            }
            Self::Transport(error) => match error.as_ref() {
                TransportError::Connect { .. } | TransportError::Resolve { .. } => true,
                TransportError::Tls { source, .. } => source.is_transient(),
                // A program that is missing or not executable needs a change.
                TransportError::Spawn { source, .. } => {
                    !matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
                }
                _ => false,
            },
            Self::Authentication(_)
            | Self::Version { .. }
            | Self::Schema(_)
            | Self::SelfConnection
            | Self::Protocol(_) => false,
        }
    }
}

impl From<ConnectError> for CloseReason {
    fn from(error: ConnectError) -> Self {
        Self::NotConnected(error)
    }
}

/// How authentication failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticationError {
    /// The peer rejected this side's proof: the secret, the key id or the audience differs.
    #[error("the peer rejected the proof of the shared secret: its secret, key id or audience differs")]
    RejectedByPeer,
    /// The server could not prove that it has the secret. No proof was sent to it.
    #[error("the server could not prove that it has the shared secret")]
    ServerProofInvalid,
    /// The peer requires channel binding, and the connection has none.
    #[error("the peer requires channel binding")]
    BindingRequired,
}

/// An error and all its causes on one line.
pub(super) struct Chain<'a>(pub(super) &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, formatter)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{CallError, Outcome};

    #[test]
    fn call_error_prints_its_cause_once() {
        let lost = CloseReason::ConnectionLost(Some(Arc::new(io::Error::other("cable unplugged"))));
        let error: CallError = CallError::Disconnected { outcome: Outcome::Unknown, reason: lost };
        let text = "the connection was lost: cable unplugged; the call may have run";
        assert_eq!(error.to_string(), text);
        assert!(error.source().is_none());
        assert_eq!(Chain(&error).to_string(), text);
    }
}
