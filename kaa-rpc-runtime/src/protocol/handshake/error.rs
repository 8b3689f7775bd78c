//! How a handshake fails, and who erred.
//!
//! Invariant: nothing here holds a secret or a proof. What the server knows about a refusal stays on its side: the
//! wire says `AuthFailed` and no more (clause 2.10).

use std::time::Duration;

use super::identity::Audience;
use super::message::{BindingKind, MalformedMessage, MessageType, RejectCode};
use crate::secret::KeyId;

/// Why a handshake did not end in an established session. Always the end of the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// What the peer sent first is no handshake: another protocol, most likely.
    #[error("the peer does not speak kaa-rpc; it began with \"{}\"{}", received.escape_ascii(), guess(received))]
    NotKaaRpc {
        /// The first bytes it sent, 16 at most.
        received: Vec<u8>,
    },
    /// The peer sent a message with impossible content.
    #[error("the peer sent a malformed {message}: {problem}")]
    Malformed {
        /// Which message.
        message: MessageType,
        /// What is wrong with it.
        #[source]
        problem: MalformedMessage,
    },
    /// The peer announced a message of impossible length.
    #[error("the peer announced a handshake message of {length} bytes")]
    MessageLength {
        /// The announced length.
        length: u16,
    },
    /// The peer sent another message than the handshake's order allows.
    #[error("the peer sent a message of type {received} where {expected} was expected")]
    UnexpectedMessage {
        /// What should have come.
        expected: MessageType,
        /// The type that came.
        received: u8,
    },
    /// The peers have no version in common.
    #[error("no protocol version in common: this side speaks {ours:?}, the peer {theirs:?}")]
    Version {
        /// Versions of this side.
        ours: Vec<u8>,
        /// Versions of the peer.
        theirs: Vec<u8>,
    },
    /// The server chose a version that is not the best one in common, or was made to.
    #[error(
        "the server chose protocol version {chosen}, which is not the best in common of {ours:?} and {theirs:?}"
    )]
    WrongVersionChosen {
        /// The chosen one.
        chosen: u8,
        /// Versions of this side.
        ours: Vec<u8>,
        /// Versions of the peer.
        theirs: Vec<u8>,
    },
    /// At the client: the server did not accept our proof. It does not say why.
    #[error(
        "the peer did not accept our proof of the shared secret: perhaps its secret, key id or audience is another"
    )]
    RejectedByPeer,
    /// At the client: the server could not prove that it has the secret.
    #[error("the server could not prove that it has the shared secret")]
    ServerProofInvalid,
    /// One end has a secure channel to bind the proof to, and the other has not.
    #[error("the two ends do not agree on channel binding: this side has {ours}, the peer {theirs}")]
    BindingRequired {
        /// What this side has.
        ours: BindingKind,
        /// What the peer has.
        theirs: BindingKind,
    },
    /// At the client: the server takes no more connections now. At the server: it was told to say so.
    #[error("the server is busy")]
    Busy {
        /// When to try again; zero if the server did not say.
        retry_after: Duration,
    },
    /// The peer is the same node as this one.
    #[error("a connection to oneself was refused")]
    SelfConnection,
    /// At the client: the server refused the handshake for a reason other than the above.
    #[error("the peer rejected the handshake: {code}")]
    Rejected {
        /// The reason it gave.
        code: RejectCode,
    },
    /// At the server: the client is not who it must be. The client is told `AuthFailed` and no more.
    #[error("the client was refused: {reason} (key id \"{key_id}\")")]
    Refused {
        /// The key id that the client claimed.
        key_id: KeyId,
        /// What did not fit.
        reason: Refusal,
    },
    /// The handshake had ended before, and was given more input.
    #[error("the handshake has already ended")]
    Ended,
}

/// What was probably meant by a strange beginning.
fn guess(received: &[u8]) -> &'static str {
    match received {
        // A record of TLS: an alert or a handshake, and the major version.
        [21 | 22, 3, ..] => ", which is TLS: it has a tls: address, and this side has not",
        _ if !received.is_empty()
            && received.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')) =>
        {
            ", which is text: it is another program, or a plugin that prints before it takes \"stdio:\""
        }
        _ => "",
    }
}

/// Why a server refused a client; for the server's own log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The server has no secret under this key id.
    #[error("the key id is unknown")]
    UnknownKeyId,
    /// The proof is not one of the secret under this key id.
    #[error("its proof of the secret is wrong")]
    WrongProof,
    /// The client wants another service.
    #[error("it asked for the audience \"{claimed}\"")]
    Audience {
        /// The one it wants.
        claimed: Audience,
    },
    /// One end has a secure channel to bind the proof to, and the other has not.
    #[error("channel binding differs: this side has {ours}, the client {theirs}")]
    Binding {
        /// What this side has.
        ours: BindingKind,
        /// What the client has.
        theirs: BindingKind,
    },
}
