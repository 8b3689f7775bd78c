//! Writing values: structs with their length in front, enums with their tag, all within the frame's size limit.
//!
//! Invariants
//! - Never more than the limit is appended; the first byte too many ends the encoding with an error.
//! - After an error, or a panic of a user's own type, the buffer holds a partial value and nothing else is wrong with
//!   it: the owner takes the partial value back with [`Buffer::truncate`].

use bytes::Bytes;

use super::buffer::Buffer;
use super::decode::DEPTH;
use super::error::EncodeError;
use super::leaf::{self, Varint};
use super::path::Path;
use super::unknown::UnknownVariant;
use super::wire::Wire;

/// Appends one message's values to a [`Buffer`].
#[derive(Debug)]
pub struct Encoder<'a> {
    buffer: &'a mut Buffer,
    room: usize,
    limit: usize,
    levels_left: u16,
}

impl<'a> Encoder<'a> {
    /// An encoder that appends at most `limit` bytes to `buffer`.
    #[inline]
    #[must_use]
    pub fn new(buffer: &'a mut Buffer, limit: usize) -> Self {
        Self { buffer, room: limit, limit, levels_left: super::decode::levels(DEPTH) }
    }
}

impl Encoder<'_> {
    /// Bytes appended so far.
    #[inline]
    #[must_use]
    pub const fn written(&self) -> usize {
        self.limit - self.room
    }

    /// Appends an extensible struct: the byte length of what `body` appends, then that.
    ///
    /// # Errors
    /// Those of `body`, and the frame's size limit.
    #[inline]
    pub fn structure(
        &mut self,
        body: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let start = self.buffer.position();
        self.put_byte(0)?;
        let before = self.room;
        body(self)?;
        let length = before - self.room;
        if let Some(byte) = leaf::single_byte(length) {
            self.buffer.patch(start, &[byte]);
            Ok(())
        } else {
            leaf::with_length(length, |bytes| {
                self.claim(bytes.len().saturating_sub(1))?;
                self.buffer.widen(start, bytes);
                Ok(())
            })
        }
    }

    /// Appends a field, or an argument of a method.
    ///
    /// # Errors
    /// Those of the value, with `name` added to their path.
    #[inline]
    pub fn field<W: Wire>(&mut self, name: &'static str, value: &W::Value) -> Result<(), EncodeError> {
        let result =
            if W::NESTS { self.nested(|encoder| W::encode(value, encoder)) } else { W::encode(value, self) };
        result.map_err(|error| error.in_field(name))
    }

    /// Keeps the slot of a deleted field with the bytes of its type's zero value.
    ///
    /// # Errors
    /// The frame's size limit.
    #[inline]
    pub fn tombstone(&mut self, zero: &'static [u8]) -> Result<(), EncodeError> {
        self.put_slice(zero)
    }

    /// Appends a variant without fields of an open enum.
    ///
    /// # Errors
    /// The frame's size limit.
    #[inline]
    pub fn unit_variant(&mut self, tag: u32) -> Result<(), EncodeError> {
        (u64::from(tag) << 1).put(self)
    }

    /// Appends a variant of an open enum: the tag, then the fields that `body` appends, with their length in front.
    ///
    /// # Errors
    /// Those of `body`, and the frame's size limit.
    #[inline]
    pub fn variant(
        &mut self,
        tag: u32,
        body: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        (u64::from(tag) << 1 | 1).put(self)?;
        self.structure(body)
    }

    /// Passes on a variant that this side does not know.
    ///
    /// # Errors
    /// The frame's size limit.
    pub fn unknown_variant(&mut self, unknown: &UnknownVariant) -> Result<(), EncodeError> {
        match unknown.payload() {
            None => self.unit_variant(unknown.tag()),
            Some(payload) => self.variant(unknown.tag(), |encoder| encoder.put_shared(payload)),
        }
    }

    /// Appends the tag of a sealed enum, whose fields follow without a length.
    ///
    /// # Errors
    /// The frame's size limit.
    #[inline]
    pub fn sealed_tag(&mut self, tag: u32) -> Result<(), EncodeError> {
        tag.put(self)
    }

    /// Appends raw bytes.
    #[inline]
    pub(super) fn put_slice(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.claim(bytes.len())?;
        self.buffer.put_slice(bytes);
        Ok(())
    }

    /// Appends one raw byte.
    #[inline]
    pub(super) fn put_byte(&mut self, byte: u8) -> Result<(), EncodeError> {
        self.claim(1)?;
        self.buffer.put_byte(byte);
        Ok(())
    }

    /// Appends zeros, to be overwritten in place.
    #[inline]
    pub(super) fn put_zeros(&mut self, count: usize) -> Result<&mut [u8], EncodeError> {
        self.claim(count)?;
        Ok(self.buffer.put_zeros(count))
    }

    /// Appends raw bytes, sharing them if they are many.
    pub(super) fn put_shared(&mut self, bytes: &Bytes) -> Result<(), EncodeError> {
        self.claim(bytes.len())?;
        self.buffer.put_shared(bytes.clone());
        Ok(())
    }

    /// Runs `body` one level deeper.
    #[inline]
    pub(super) fn nested(
        &mut self,
        body: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let Some(left) = self.levels_left.checked_sub(1) else { return Err(too_deep()) };
        self.levels_left = left;
        let result = body(self);
        self.levels_left = left + 1;
        result
    }

    /// Takes `bytes` of the frame's room.
    #[inline]
    fn claim(&mut self, bytes: usize) -> Result<(), EncodeError> {
        match self.room.checked_sub(bytes) {
            Some(room) => {
                self.room = room;
                Ok(())
            }
            None => Err(too_large(self.written(), bytes, self.limit)),
        }
    }
}

#[cold]
fn too_large(written: usize, more: usize, limit: usize) -> EncodeError {
    EncodeError::TooLarge { size: written.saturating_add(more), limit }
}

#[cold]
fn too_deep() -> EncodeError {
    EncodeError::TooDeep { path: Path::default(), limit: super::decode::levels(DEPTH) }
}
