//! Names and ids in the handshake.
//!
//! Invariant: every value of these types fits into its field on the wire.

use std::fmt;

/// The id of one `Server` or `Client` object: 16 random bytes (clause 2.7).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct InstanceId([u8; 16]);

impl InstanceId {
    /// Creates an id from bytes, which should be random.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for InstanceId {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(formatter, &self.0)
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "InstanceId({self})")
    }
}

/// The id of one connection, for logs (clause 2.6). Both ends compute the same id, and no third party can.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// Creates an id from bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(formatter, &self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SessionId({self})")
    }
}

/// The name of the logical service to which a client wants to connect (clause 2.7). A proof for one audience
/// is not valid for another with the same secret. Empty by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Audience(String);

/// An audience that is too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an audience of {length} bytes is too long; at most {maximum} are allowed",
    maximum = Audience::MAX_LENGTH
)]
pub struct AudienceError {
    /// Its length in bytes.
    pub length: usize,
}

impl Audience {
    /// The maximum length of an audience in bytes.
    pub const MAX_LENGTH: usize = 64;

    /// Creates an audience from its name.
    ///
    /// # Errors
    /// The name is longer than [`Audience::MAX_LENGTH`] bytes.
    pub fn new(name: impl Into<String>) -> Result<Self, AudienceError> {
        let name = name.into();
        if name.len() > Self::MAX_LENGTH {
            return Err(AudienceError { length: name.len() });
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.escape_debug().fmt(formatter)
    }
}

/// Ties the proofs to the secure channel: 32 bytes that each end takes from its own side of the channel
/// (clause 2.9).
#[derive(Clone, Copy)]
pub struct ChannelBinding([u8; 32]);

impl ChannelBinding {
    /// Creates a binding from the bytes that a TLS channel exports for this purpose.
    #[must_use]
    pub const fn tls_exporter(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ChannelBinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ChannelBinding(tls-exporter)")
    }
}

fn write_hex(formatter: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
}
