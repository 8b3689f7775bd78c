//! Reads and writes the fields of handshake messages.
//!
//! Invariant: a reader returns every byte once. [`Reader::end`] fails if bytes are left.

use super::kind::{BindingKind, MAX_VERSIONS, MessageType};
use crate::protocol::limits::{Limits, LimitsError};

/// What is wrong with the bytes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedMessage {
    /// The message ends before its last field.
    #[error("it ends before its last field")]
    TooShort,
    /// The message has bytes after its last field.
    #[error("it has {0} extra bytes at the end")]
    TooLong(usize),
    /// The length or the type does not match the message.
    #[error("its length or type is wrong")]
    Header,
    /// The message does not begin with the magic bytes.
    #[error("its magic bytes are wrong")]
    Magic,
    /// The list of versions is empty, too long, contains zero, or is not in descending order.
    #[error("its list of versions is invalid")]
    Versions,
    /// The key id is too long.
    #[error("its key id is too long")]
    KeyId,
    /// The audience is too long or not UTF-8.
    #[error("its audience is too long or not UTF-8")]
    Audience,
    /// The kind of channel binding is unknown.
    #[error("it has the unknown channel binding {0}")]
    UnknownBinding(u8),
    /// A limit is too small.
    #[error("it has {0}")]
    Limits(LimitsError),
}

/// Reads the fields of one complete message, in order.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Checks the length and the type. The first field follows them.
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

    pub(super) fn binding(&mut self) -> Result<BindingKind, MalformedMessage> {
        let byte = self.byte()?;
        BindingKind::from_byte(byte).ok_or(MalformedMessage::UnknownBinding(byte))
    }

    pub(super) fn limits(&mut self) -> Result<Limits, MalformedMessage> {
        Limits::decode(self.array()?).map_err(MalformedMessage::Limits)
    }

    /// `u16 length | bytes`, for later versions (clause 2.5).
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

/// Writes the fields of one complete message, in order.
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

    /// `u8 length | bytes`. Every caller's type limits the length, so nothing is ever truncated.
    pub(super) fn put_short_bytes(&mut self, bytes: &[u8]) {
        let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        self.message.push(length);
        self.message.extend(bytes.iter().take(usize::from(length)));
    }

    /// The extension block of version 1, which is empty.
    pub(super) fn put_no_extensions(&mut self) {
        self.put(&0_u16.to_be_bytes());
    }

    /// Fills in the length and returns the message.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let length = u16::try_from(self.message.len().saturating_sub(2)).unwrap_or(u16::MAX);
        for (to, from) in self.message.iter_mut().zip(length.to_be_bytes()) {
            *to = from;
        }
        self.message
    }
}
