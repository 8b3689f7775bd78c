//! Errors of the handshake.
//!
//! Invariants: no error contains a secret or a proof. The details of a refusal stay on the server; the client
//! receives only `AuthFailed` (clause 2.10).

use std::time::Duration;

use super::identity::Audience;
use super::message::{BindingKind, MalformedMessage, MessageType, RejectCode};
use crate::protocol::secret::KeyId;

/// Why a handshake failed. The connection is then closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The first bytes from the peer are not a handshake. It probably uses another protocol.
    #[error(
        "the peer does not speak kaa-rpc; it began with \"{}\"{}",
        received.escape_ascii(),
        guess(received)
    )]
    NotKaaRpc {
        /// The first bytes, 16 at most.
        received: Vec<u8>,
    },
    /// The peer sent a message with invalid content.
    #[error("the peer sent a malformed {message}: {problem}")]
    Malformed {
        /// The message.
        message: MessageType,
        /// What is wrong with it.
        #[source]
        problem: MalformedMessage,
    },
    /// The peer announced a message with an invalid length.
    #[error("the peer announced a handshake message of {length} bytes, which is not a valid length")]
    MessageLength {
        /// The announced length.
        length: u16,
    },
    /// The peer sent a message out of order.
    #[error("the peer sent a message of type {received} where {expected} was expected")]
    UnexpectedMessage {
        /// The expected message.
        expected: MessageType,
        /// The type byte of the received message.
        received: u8,
    },
    /// The peers have no version in common.
    #[error("no protocol version in common: this side supports {ours:?}, the peer {theirs:?}")]
    Version {
        /// The versions of this side.
        ours: Vec<u8>,
        /// The versions of the peer.
        theirs: Vec<u8>,
    },
    /// The server chose a version that is not the highest common one, or an attacker has changed the choice.
    #[error(
        "the server chose protocol version {chosen}, \
         which is not the highest common version of {ours:?} and {theirs:?}"
    )]
    WrongVersionChosen {
        /// The chosen version.
        chosen: u8,
        /// The versions of this side.
        ours: Vec<u8>,
        /// The versions of the peer.
        theirs: Vec<u8>,
    },
    /// At the client: the server did not accept this side's proof. It does not report why.
    #[error(
        "the peer did not accept the proof of the shared secret; its secret, key id or audience may differ"
    )]
    RejectedByPeer,
    /// At the client: the server could not prove that it has the secret.
    #[error("the server could not prove that it has the shared secret")]
    ServerProofInvalid,
    /// Only one of the ends has a secure channel to which it can bind its proof.
    #[error("the channel bindings differ: this side has {ours}, the peer {theirs}")]
    BindingRequired {
        /// The binding of this side.
        ours: BindingKind,
        /// The binding of the peer.
        theirs: BindingKind,
    },
    /// At the client: the server accepts no more connections now. At the server: it has refused the client
    /// for that reason.
    #[error("the server is busy")]
    Busy {
        /// When to try again; zero if the server did not specify it.
        retry_after: Duration,
    },
    /// Client and server are the same object.
    #[error("the connection leads back to this side itself")]
    SelfConnection,
    /// At the client: the server rejected the handshake for another reason.
    #[error("the peer rejected the handshake: {code}")]
    Rejected {
        /// The reason.
        code: RejectCode,
    },
    /// At the server: the client could not authenticate itself. The client receives only `AuthFailed`.
    #[error("the client was refused: {reason} (key id \"{key_id}\")")]
    Refused {
        /// The key id that the client claimed.
        key_id: KeyId,
        /// The reason.
        reason: RefusalReason,
    },
    /// The handshake received input after its end.
    #[error("the handshake has already ended")]
    Ended,
}

impl HandshakeError {
    /// An error constructor for [`Result::map_err`].
    pub(super) fn malformed(message: MessageType) -> impl Fn(MalformedMessage) -> Self {
        move |problem| Self::Malformed { message, problem }
    }
}

/// The protocol of a peer, guessed from its first bytes.
fn guess(received: &[u8]) -> &'static str {
    match received {
        // A TLS record: its type is alert or handshake, and its major version is 3.
        [21 | 22, 3, ..] => ", which is TLS: the peer uses a tls: address, and this side does not",
        _ if !received.is_empty()
            && received.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')) =>
        {
            ", which is text: the peer is another program, or a plugin that prints before it uses \"stdio:\""
        }
        _ => "",
    }
}

/// Why a server refused a client. Only the server knows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The server has no secret with this key id.
    #[error("the key id is unknown")]
    UnknownKeyId,
    /// The proof does not match the secret with this key id.
    #[error("its proof of the secret is wrong")]
    WrongProof,
    /// The client wants another logical service.
    #[error("it asked for the audience \"{claimed}\"")]
    Audience {
        /// The audience that the client wants.
        claimed: Audience,
    },
    /// Only one of the ends has a secure channel to which it can bind its proof.
    #[error("the channel bindings differ: this side has {ours}, the client {theirs}")]
    Binding {
        /// The binding of this side.
        ours: BindingKind,
        /// The binding of the client.
        theirs: BindingKind,
    },
}
