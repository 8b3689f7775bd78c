//! HELLO: the client says who it is and what it can do.

use super::field::{Reader, Writer};
use super::{BindingKind, MAGIC, MalformedMessage, MessageType};
use crate::protocol::handshake::{Audience, InstanceId};
use crate::protocol::limits::Limits;
use crate::secret::KeyId;

/// The client's first message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Versions that the client speaks, in descending order.
    pub versions: Vec<u8>,
    /// 32 random bytes, new for every connection.
    pub nonce: [u8; 32],
    /// The client object.
    pub instance: InstanceId,
    /// Under which id the server knows the secret.
    pub key_id: KeyId,
    /// The service that the client wants.
    pub audience: Audience,
    /// What the client's proof will be bound to.
    pub binding: BindingKind,
    /// Feature bits.
    pub features: u64,
    /// What the client is ready to receive.
    pub limits: Limits,
    /// The fingerprint of the client's schema.
    pub schema: [u8; 32],
}

impl Hello {
    /// The whole message.
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

    /// Reads a whole message.
    ///
    /// # Errors
    /// Says what is wrong with it.
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
            binding: BindingKind::from_byte(reader.byte()?)?,
            features: u64::from_be_bytes(reader.array()?),
            limits: reader.limits()?,
            schema: reader.array()?,
        };
        reader.skip_extensions()?;
        reader.end()?;
        Ok(hello)
    }
}
