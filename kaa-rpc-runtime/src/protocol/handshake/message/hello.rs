//! HELLO: the client's identity and abilities.

use super::field::{MalformedMessage, Reader, Writer};
use super::kind::{BindingKind, MAGIC, MessageType};
use crate::protocol::handshake::identity::{Audience, InstanceId};
use crate::protocol::limits::Limits;
use crate::protocol::secret::KeyId;

/// The client's first message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// All versions that the client supports, in descending order.
    pub versions: Vec<u8>,
    /// 32 random bytes, new for every connection.
    pub nonce: [u8; 32],
    /// The id of the client object.
    pub instance: InstanceId,
    /// The key id under which the server knows the secret.
    pub key_id: KeyId,
    /// The logical service that the client wants.
    pub audience: Audience,
    /// The channel binding of the client's proof.
    pub binding: BindingKind,
    /// Feature bits.
    pub features: u64,
    /// The limits on what the client receives.
    pub limits: Limits,
    /// The fingerprint of the client's schema.
    pub schema: [u8; 32],
}

impl Hello {
    /// Encodes the complete message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(MessageType::Hello);
        writer.put(MAGIC);
        writer.put_short_bytes(&self.versions);
        writer.put(&self.nonce);
        writer.put(self.instance.as_bytes());
        writer.put_short_bytes(self.key_id.as_bytes());
        writer.put_short_bytes(self.audience.as_str().as_bytes());
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
        let mut reader = Reader::new(message, MessageType::Hello)?;
        if &reader.array()? != MAGIC {
            return Err(MalformedMessage::Magic);
        }
        let hello = Self {
            versions: reader.versions()?,
            nonce: reader.array()?,
            instance: InstanceId::new(reader.array()?),
            key_id: KeyId::new(reader.short_bytes()?).map_err(|_| MalformedMessage::KeyId)?,
            audience: std::str::from_utf8(reader.short_bytes()?)
                .ok()
                .and_then(|name| Audience::new(name).ok())
                .ok_or(MalformedMessage::Audience)?,
            binding: reader.binding()?,
            features: u64::from_be_bytes(reader.array()?),
            limits: reader.limits()?,
            schema: reader.array()?,
        };
        reader.skip_extensions()?;
        reader.end()?;
        Ok(hello)
    }
}
