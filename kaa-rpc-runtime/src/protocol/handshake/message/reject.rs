//! REJECT: the server's refusal, instead of CHALLENGE or ACCEPT.
//!
//! Invariant: neither side is authenticated yet. The message must not contain anything that an attacker could
//! use, and the client may treat it only as a hint.

use std::fmt;
use std::time::Duration;

use super::field::{MalformedMessage, Reader, Writer};
use super::kind::MessageType;

/// The server's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The reason.
    pub code: RejectCode,
    /// When to try again; zero if the server does not specify it.
    pub retry_after: Duration,
    /// All versions that the server supports, in descending order.
    pub versions: Vec<u8>,
}

/// Why a server refuses a client (clause 2.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectCode {
    /// 1: the proof, the key id, the audience or the channel binding does not match. The code does not tell
    /// which.
    AuthFailed,
    /// 2: no version in common.
    Version,
    /// 3: too many connections.
    Busy,
    /// 4: client and server are the same object.
    SelfConnection,
    /// 5: a message from the client was malformed or unexpected.
    Malformed,
    /// A code from a later version.
    Unknown(u8),
}

impl RejectCode {
    /// The code byte.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::AuthFailed => 1,
            Self::Version => 2,
            Self::Busy => 3,
            Self::SelfConnection => 4,
            Self::Malformed => 5,
            Self::Unknown(byte) => byte,
        }
    }

    /// The code with this byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        match byte {
            1 => Self::AuthFailed,
            2 => Self::Version,
            3 => Self::Busy,
            4 => Self::SelfConnection,
            5 => Self::Malformed,
            _ => Self::Unknown(byte),
        }
    }
}

impl fmt::Display for RejectCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuthFailed => formatter.write_str("authentication failed"),
            Self::Version => formatter.write_str("no version in common"),
            Self::Busy => formatter.write_str("busy"),
            Self::SelfConnection => formatter.write_str("a connection to oneself"),
            Self::Malformed => formatter.write_str("malformed message"),
            Self::Unknown(code) => write!(formatter, "unknown code {code}"),
        }
    }
}

impl Reject {
    /// Encodes the complete message. A time over 49 days is encoded as 49 days.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let milliseconds = u32::try_from(self.retry_after.as_millis()).unwrap_or(u32::MAX);
        let mut writer = Writer::new(MessageType::Reject);
        writer.put(&[self.code.to_byte()]);
        writer.put(&milliseconds.to_be_bytes());
        writer.put_short_bytes(&self.versions);
        writer.put_no_extensions();
        writer.finish()
    }

    /// Decodes a complete message.
    ///
    /// # Errors
    /// The message is malformed.
    pub fn decode(message: &[u8]) -> Result<Self, MalformedMessage> {
        let mut reader = Reader::new(message, MessageType::Reject)?;
        let reject = Self {
            code: RejectCode::from_byte(reader.byte()?),
            retry_after: Duration::from_millis(u64::from(u32::from_be_bytes(reader.array()?))),
            versions: reader.versions()?,
        };
        reader.skip_extensions()?;
        reader.end()?;
        Ok(reject)
    }
}
