//! The types of messages and of channel bindings.

use std::fmt;

use crate::protocol::handshake::identity::ChannelBinding;

/// The first bytes of HELLO.
pub const MAGIC: &[u8; 8] = b"KAARPC\r\n";
/// The maximum number of versions in a message.
pub const MAX_VERSIONS: usize = 16;

/// The type of a message.
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

    /// The message with this type byte, or `None`.
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

/// The channel to which a proof is bound (clause 2.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BindingKind {
    /// None.
    None,
    /// A TLS channel, by 32 bytes that it exports.
    TlsExporter,
}

impl BindingKind {
    /// The kind of a channel's binding.
    pub(in crate::protocol::handshake) fn of(binding: Option<&ChannelBinding>) -> Self {
        match binding {
            None => Self::None,
            Some(_) => Self::TlsExporter,
        }
    }

    pub(super) const fn to_byte(self) -> u8 {
        match self {
            Self::None => 0,
            Self::TlsExporter => 1,
        }
    }

    pub(super) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::TlsExporter),
            _ => None,
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
