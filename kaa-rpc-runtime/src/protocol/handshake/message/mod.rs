//! The five messages of the handshake, byte for byte (`docs/wire.md`, clause 2.3).
//!
//! Invariants: `u16 length | u8 type | fields`, big-endian, in exact order; a decoder accepts exactly what an encoder of
//! some version can produce: nothing missing, nothing left over, the extension block aside.

mod challenge;
mod field;
mod hello;
mod proof;
mod reject;

use std::fmt;

pub use challenge::Challenge;
pub use hello::Hello;
pub use proof::{Accept, Proof};
pub use reject::{Reject, RejectCode};

use crate::protocol::limits::LimitsError;

/// What HELLO begins with.
pub const MAGIC: &[u8; 8] = b"KAARPC\r\n";
/// Most versions that a message can list.
pub const MAX_VERSIONS: usize = 16;

/// The messages, by their type byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// 1, from the client.
    Hello,
    /// 2, from the server.
    Challenge,
    /// 3, from the client.
    Proof,
    /// 4, from the server.
    Accept,
    /// 5, from the server.
    Reject,
}

impl MessageType {
    /// The type byte.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Hello => 1,
            Self::Challenge => 2,
            Self::Proof => 3,
            Self::Accept => 4,
            Self::Reject => 5,
        }
    }

    /// The message with this type byte, if there is one.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Hello),
            2 => Some(Self::Challenge),
            3 => Some(Self::Proof),
            4 => Some(Self::Accept),
            5 => Some(Self::Reject),
            _ => None,
        }
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Hello => "HELLO",
            Self::Challenge => "CHALLENGE",
            Self::Proof => "PROOF",
            Self::Accept => "ACCEPT",
            Self::Reject => "REJECT",
        })
    }
}

/// What a proof is bound to beside the messages (clause 2.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BindingKind {
    /// Nothing.
    None,
    /// 32 bytes exported by the TLS channel.
    TlsExporter,
}

impl BindingKind {
    const fn to_byte(self) -> u8 {
        match self {
            Self::None => 0,
            Self::TlsExporter => 1,
        }
    }

    const fn from_byte(byte: u8) -> Result<Self, MalformedMessage> {
        match byte {
            0 => Ok(Self::None),
            1 => Ok(Self::TlsExporter),
            _ => Err(MalformedMessage::UnknownBinding(byte)),
        }
    }
}

impl fmt::Display for BindingKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::TlsExporter => "tls-exporter",
        })
    }
}

/// What is wrong with a message's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedMessage {
    /// It ends within its fields.
    #[error("it ends before its last field")]
    TooShort,
    /// It goes on behind its last field.
    #[error("{0} bytes too many")]
    TooLong(usize),
    /// Its length or type is not that of the message.
    #[error("its length or type is wrong")]
    Header,
    /// It does not begin with the magic bytes.
    #[error("the magic bytes are wrong")]
    Magic,
    /// Its versions are none, too many, zero, or not in descending order.
    #[error("its list of versions is out of order")]
    Versions,
    /// Its key id is too long.
    #[error("its key id is too long")]
    KeyId,
    /// Its audience is too long, or no UTF-8.
    #[error("its audience is too long or not UTF-8")]
    Audience,
    /// A kind of binding that nobody knows.
    #[error("it names the unknown channel binding {0}")]
    UnknownBinding(u8),
    /// Limits that nobody could work with.
    #[error("it has {0}")]
    Limits(LimitsError),
}
