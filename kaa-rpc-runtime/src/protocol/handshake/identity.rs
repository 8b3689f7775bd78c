//! Names and ids that the handshake carries.
//!
//! Invariant: what is one of these fits its field on the wire.

use std::fmt;

/// One `Server` or `Client` object for as long as it lives: 16 random bytes (clause 2.7).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct InstanceId([u8; 16]);

impl InstanceId {
    /// An id of these bytes, which should be random.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
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

/// One connection, by a name that both ends compute and nobody else can: for logs (clause 2.6).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// An id of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
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

/// The logical service for which a proof is made: worth nothing at another one with the same secret (clause 2.7).
/// Empty by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Audience(String);

/// An audience that is too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an audience of {length} bytes is too long; at most {maximum} are allowed", maximum = Audience::MAX_LENGTH)]
pub struct AudienceError {
    /// Bytes it has.
    pub length: usize,
}

impl Audience {
    /// Most bytes of an audience.
    pub const MAX_LENGTH: usize = 64;

    /// An audience of this name.
    ///
    /// # Errors
    /// Longer than [`Audience::MAX_LENGTH`] bytes.
    pub fn new(name: impl Into<String>) -> Result<Self, AudienceError> {
        let name = name.into();
        if name.len() > Self::MAX_LENGTH {
            return Err(AudienceError { length: name.len() });
        }
        Ok(Self(name))
    }

    /// Its name.
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

/// What ties the proofs to the secure channel beneath: 32 bytes that each end takes from its own channel
/// (clause 2.9).
#[derive(Clone, Copy)]
pub struct ChannelBinding([u8; 32]);

impl ChannelBinding {
    /// The bytes that a TLS channel exports for this.
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
