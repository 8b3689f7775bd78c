//! Appends bytes of one message to a [`Buffer`], within the frame's size limit.
//!
//! Invariants
//! - Never more than the limit is appended. The first byte over the limit ends the encoding with an error.
//! - After an error, or a panic in a foreign type, the buffer ends with a partial value and is otherwise
//!   valid. Its owner removes the partial value with [`Buffer::truncate`].

use bytes::Bytes;

use super::buffer::{Buffer, Position};
use super::decode::DEPTH;
use super::error::EncodeError;
use super::path::Path;

/// Appends the values of one message to a [`Buffer`].
#[derive(Debug)]
pub struct Encoder<'a> {
    buffer: &'a mut Buffer,
    room: usize,
    limit: usize,
    levels_left: u16,
}

impl<'a> Encoder<'a> {
    /// Creates an encoder that appends at most `limit` bytes to `buffer`.
    #[inline]
    #[must_use]
    pub fn new(buffer: &'a mut Buffer, limit: usize) -> Self {
        Self { buffer, room: limit, limit, levels_left: super::decode::levels(DEPTH) }
    }
}

impl Encoder<'_> {
    /// The number of bytes appended so far.
    #[inline]
    #[must_use]
    pub const fn written(&self) -> usize {
        self.limit - self.room
    }

    /// The number of bytes that can still be appended.
    #[inline]
    pub(super) const fn room(&self) -> usize {
        self.room
    }

    /// The position of the next byte.
    #[inline]
    pub(super) fn position(&self) -> Position {
        self.buffer.position()
    }

    /// Overwrites the byte at `at`.
    #[inline]
    pub(super) fn patch_byte(&mut self, at: Position, byte: u8) {
        self.buffer.patch(at, &[byte]);
    }

    /// Replaces the byte at `at` with `bytes`.
    pub(super) fn widen(&mut self, at: Position, bytes: &[u8]) -> Result<(), EncodeError> {
        self.claim(bytes.len().saturating_sub(1))?;
        self.buffer.widen(at, bytes);
        Ok(())
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

    /// Appends zeros, which the caller overwrites in place.
    #[inline]
    pub(super) fn put_zeros(&mut self, count: usize) -> Result<&mut [u8], EncodeError> {
        self.claim(count)?;
        Ok(self.buffer.put_zeros(count))
    }

    /// Appends raw bytes. Large byte strings are shared, not copied.
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
