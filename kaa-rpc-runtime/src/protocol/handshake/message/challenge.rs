//! CHALLENGE: the server's answer to HELLO.

use super::field::{MalformedMessage, Reader, Writer};
use super::kind::{BindingKind, MessageType};
use crate::protocol::handshake::identity::InstanceId;
use crate::protocol::limits::Limits;

/// The server's first message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The version for this connection.
    pub version: u8,
    /// All versions that the server supports, in descending order.
    pub versions: Vec<u8>,
    /// 32 random bytes, new for every connection.
    pub nonce: [u8; 32],
    /// The id of the server object.
    pub instance: InstanceId,
    /// The channel binding of the server's proof. It must be the client's.
    pub binding: BindingKind,
    /// Feature bits.
    pub features: u64,
    /// The limits on what the server receives.
    pub limits: Limits,
    /// The fingerprint of the server's schema.
    pub schema: [u8; 32],
}

impl Challenge {
    /// Encodes the complete message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(MessageType::Challenge);
        writer.put(&[self.version]);
        writer.put_short_bytes(&self.versions);
        writer.put(&self.nonce);
        writer.put(self.instance.as_bytes());
        writer.put(&[self.binding.to_byte()]);
        writer.put(&self.features.to_be_bytes());
        writer.put(&self.limits.encode());
        writer.put(&self.schema);
        writer.put_no_extensions();
        writer.finish()
    }

    /// Decodes a complete message.
    ///
    /// # Errors
    /// The message is malformed.
    pub fn decode(message: &[u8]) -> Result<Self, MalformedMessage> {
        let mut reader = Reader::new(message, MessageType::Challenge)?;
        let challenge = Self {
            version: reader.byte()?,
            versions: reader.versions()?,
            nonce: reader.array()?,
            instance: InstanceId::new(reader.array()?),
            binding: reader.binding()?,
            features: u64::from_be_bytes(reader.array()?),
            limits: reader.limits()?,
            schema: reader.array()?,
        };
        reader.skip_extensions()?;
        reader.end()?;
        Ok(challenge)
    }
}
