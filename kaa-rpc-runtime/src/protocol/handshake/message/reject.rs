//! REJECT: the server's refusal, instead of CHALLENGE or of ACCEPT.
//!
//! Invariant: nobody has proved anything when it comes, so it may say nothing that a stranger could learn from, and the
//! client may only take it as a hint.

use std::fmt;
use std::time::Duration;

use super::field::{Reader, Writer};
use super::{MalformedMessage, MessageType};

/// The server's refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Why.
    pub code: RejectCode,
    /// When to try again; zero if there is nothing to say about it.
    pub retry_after: Duration,
    /// All versions that the server speaks, in descending order.
    pub versions: Vec<u8>,
}

/// Why a server refuses (clause 2.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RejectCode {
    /// 1: the proof, the key id, the audience or the binding does not fit; which of them is not said.
    AuthFailed,
    /// 2: no version in common.
    Version,
    /// 3: too many connections.
    Busy,
    /// 4: client and server are the same node.
    SelfConnection,
    /// 5: a message of the client was malformed or out of order.
    Malformed,
    /// A code of a later version.
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
            Self::Malformed => formatter.write_str("it found our message malformed"),
            Self::Unknown(code) => write!(formatter, "unknown code {code}"),
        }
    }
}

impl Reject {
    /// The whole message. A time beyond 49 days is cut to that.
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

    /// Reads a whole message.
    ///
    /// # Errors
    /// Says what is wrong with it.
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
