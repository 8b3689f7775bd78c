//! PROOF and ACCEPT: each has one proof of the secret.

use std::fmt;

use super::field::{MalformedMessage, Reader, Writer};
use super::kind::MessageType;

/// The client's proof of the secret.
#[derive(Clone)]
pub struct Proof {
    /// HMAC-SHA256 with the client's label.
    pub mac: [u8; 32],
}

/// The server's proof of the secret.
#[derive(Clone)]
pub struct Accept {
    /// HMAC-SHA256 with the server's label.
    pub mac: [u8; 32],
}

impl Proof {
    /// Encodes the complete message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(MessageType::Proof, &self.mac)
    }

    /// Decodes a complete message.
    ///
    /// # Errors
    /// The message is malformed.
    pub fn decode(message: &[u8]) -> Result<Self, MalformedMessage> {
        decode(message, MessageType::Proof).map(|mac| Self { mac })
    }
}

impl Accept {
    /// Encodes the complete message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(MessageType::Accept, &self.mac)
    }

    /// Decodes a complete message.
    ///
    /// # Errors
    /// The message is malformed.
    pub fn decode(message: &[u8]) -> Result<Self, MalformedMessage> {
        decode(message, MessageType::Accept).map(|mac| Self { mac })
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Proof(redacted)")
    }
}

impl fmt::Debug for Accept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Accept(redacted)")
    }
}

fn encode(message_type: MessageType, mac: &[u8; 32]) -> Vec<u8> {
    let mut writer = Writer::new(message_type);
    writer.put(mac);
    writer.finish()
}

fn decode(message: &[u8], message_type: MessageType) -> Result<[u8; 32], MalformedMessage> {
    let mut reader = Reader::new(message, message_type)?;
    let mac = reader.array()?;
    reader.end()?;
    Ok(mac)
}
