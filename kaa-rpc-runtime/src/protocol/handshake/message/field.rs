//! Reads and writes the fields of handshake messages.
//!
//! Invariant: a reader gives every byte once, and [`Reader::end`] makes sure that none is left.

use super::{MAX_VERSIONS, MalformedMessage, MessageType};
use crate::protocol::limits::Limits;

/// Fields from first to last, out of one whole message.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins behind the type byte, after a check of length and type.
    pub(super) fn new(message: &'a [u8], expected: MessageType) -> Result<Self, MalformedMessage> {
        let (length, body) = message.split_first_chunk::<2>().ok_or(MalformedMessage::Header)?;
        let (&type_byte, rest) = body.split_first().ok_or(MalformedMessage::Header)?;
        if usize::from(u16::from_be_bytes(*length)) != body.len() || type_byte != expected.to_byte() {
            return Err(MalformedMessage::Header);
        }
        Ok(Self { rest })
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], MalformedMessage> {
        let (field, rest) = self.rest.split_first_chunk::<N>().ok_or(MalformedMessage::TooShort)?;
        self.rest = rest;
        Ok(*field)
    }

    pub(super) fn byte(&mut self) -> Result<u8, MalformedMessage> {
        let [byte] = self.array::<1>()?;
        Ok(byte)
    }

    /// `u8 length | bytes`
    pub(super) fn short_bytes(&mut self) -> Result<&'a [u8], MalformedMessage> {
        let length = self.byte()?;
        self.bytes(usize::from(length))
    }

    /// `u8 count | u8 × count`, strictly descending, never zero (clause 2.4).
    pub(super) fn versions(&mut self) -> Result<Vec<u8>, MalformedMessage> {
        let versions = self.short_bytes()?;
        let descending = versions.is_sorted_by(|a, b| a > b);
        if versions.is_empty() || versions.len() > MAX_VERSIONS || !descending || versions.contains(&0) {
            return Err(MalformedMessage::Versions);
        }
        Ok(versions.to_vec())
    }

    pub(super) fn limits(&mut self) -> Result<Limits, MalformedMessage> {
        Limits::decode(self.array()?).map_err(MalformedMessage::Limits)
    }

    /// `u16 length | bytes` that a later version understands (clause 2.5).
    pub(super) fn skip_extensions(&mut self) -> Result<(), MalformedMessage> {
        let length = u16::from_be_bytes(self.array()?);
        self.bytes(usize::from(length)).map(|_| ())
    }

    pub(super) fn end(self) -> Result<(), MalformedMessage> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(MalformedMessage::TooLong(left)),
        }
    }

    fn bytes(&mut self, length: usize) -> Result<&'a [u8], MalformedMessage> {
        let (field, rest) = self.rest.split_at_checked(length).ok_or(MalformedMessage::TooShort)?;
        self.rest = rest;
        Ok(field)
    }
}

/// Fields from first to last, into one whole message.
pub(super) struct Writer {
    message: Vec<u8>,
}

impl Writer {
    pub(super) fn new(message_type: MessageType) -> Self {
        Self { message: vec![0, 0, message_type.to_byte()] }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.message.extend_from_slice(bytes);
    }

    /// `u8 length | bytes`. What comes here is bounded by its type; cutting is only the way out that cannot panic.
    pub(super) fn put_short_bytes(&mut self, bytes: &[u8]) {
        let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        self.message.push(length);
        self.message.extend(bytes.iter().take(usize::from(length)));
    }

    /// The extension block of version 1, which is empty.
    pub(super) fn put_no_extensions(&mut self) {
        self.put(&0_u16.to_be_bytes());
    }

    /// The message with its length filled in.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let length = u16::try_from(self.message.len().saturating_sub(2)).unwrap_or(u16::MAX);
        for (to, from) in self.message.iter_mut().zip(length.to_be_bytes()) {
            *to = from;
        }
        self.message
    }
}
