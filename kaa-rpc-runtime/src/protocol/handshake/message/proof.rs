//! PROOF and ACCEPT: one proof of the secret each.

use std::fmt;

use super::field::{Reader, Writer};
use super::{MalformedMessage, MessageType};

/// The client's proof of the secret.
#[derive(Clone)]
pub struct Proof {
    /// HMAC-SHA256 under the client's label.
    pub mac: [u8; 32],
}

/// The server's proof of the secret.
#[derive(Clone)]
pub struct Accept {
    /// HMAC-SHA256 under the server's label.
    pub mac: [u8; 32],
}

impl Proof {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(MessageType::Proof, &self.mac)
    }

    /// Reads a whole message.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn decode(message: &[u8]) -> Result<Self, MalformedMessage> {
        decode(message, MessageType::Proof).map(|mac| Self { mac })
    }
}

impl Accept {
    /// The whole message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(MessageType::Accept, &self.mac)
    }

    /// Reads a whole message.
    ///
    /// # Errors
    /// Says what is wrong with it.
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
