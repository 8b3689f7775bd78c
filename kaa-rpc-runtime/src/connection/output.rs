//! The output of a connection. Frames are encoded directly into it; positions count all bytes ever queued.
//!
//! Invariants: the buffer contains whole frames only, even if an encoder fails or panics; `written <=
//! queued`.

use crate::codec::{Buffer, EncodeError, Encoder, Position};
use crate::protocol::frame::Header;
use crate::protocol::metadata::Metadata;

/// Frames that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct Output {
    buffer: Buffer,
    queued: u64,
    written: u64,
    /// A flush was requested and has not started.
    pub(crate) flush_scheduled: bool,
    /// The driver has taken bytes out and has not written them all yet.
    pub(crate) is_taken: bool,
}

impl Output {
    /// The position where the next frame begins.
    pub(crate) fn queued(&self) -> u64 {
        self.queued
    }

    /// The position up to which the transport has accepted the output.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// The position up to which the transport may have accepted the output: the driver may be writing what it
    /// has taken.
    pub(crate) fn handed_over(&self) -> u64 {
        if self.is_taken {
            self.queued.saturating_sub(u64::try_from(self.buffer.len()).unwrap_or(u64::MAX))
        } else {
            self.written
        }
    }

    /// Bytes that the transport has not accepted.
    pub(crate) fn pending(&self) -> u64 {
        self.queued.saturating_sub(self.written)
    }

    /// Whether the buffer is empty. The driver may still hold bytes.
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Encodes a frame of at most `limit` bytes, with the metadata that its header announces.
    ///
    /// # Errors
    /// The errors of `body`, and [`EncodeError::TooLarge`] for a frame over the limit. The output is
    /// unchanged then.
    #[inline]
    pub(crate) fn frame(
        &mut self,
        header: &Header,
        metadata: Option<&Metadata>,
        limit: usize,
        body: &mut dyn FnMut(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let head = header.encoded_length();
        // The encoder does not check this if there are no arguments.
        let Some(room) = limit.checked_sub(head) else {
            return Err(EncodeError::TooLarge { size: head, limit });
        };
        let start = self.buffer.position();
        let mut unfinished = Unfinished { start: Some(start), buffer: &mut self.buffer };
        header.encode(&mut |part| unfinished.buffer.put_slice(part));
        if let Some(metadata) = metadata {
            unfinished.buffer.put_slice(metadata.encoded());
        }
        body(&mut Encoder::new(unfinished.buffer, room))?;
        unfinished.start = None;
        drop(unfinished);
        self.finish(start);
        Ok(())
    }

    /// Queues a frame whose payload is known to be within the limit.
    pub(crate) fn plain_frame(&mut self, header: &Header, payload: &[u8]) {
        self.queued_frame(header, None, payload);
    }

    /// Queues such a frame with the metadata that its header announces.
    pub(crate) fn queued_frame(&mut self, header: &Header, metadata: Option<&Metadata>, payload: &[u8]) {
        let start = self.buffer.position();
        header.encode(&mut |part| self.buffer.put_slice(part));
        if let Some(metadata) = metadata {
            self.buffer.put_slice(metadata.encoded());
        }
        self.buffer.put_slice(payload);
        self.finish(start);
    }

    /// Queues a frame and moves the content of `payload` into it. Returns the frame's length.
    pub(crate) fn shared_frame(&mut self, header: &Header, payload: &mut Buffer) -> usize {
        let start = self.buffer.position();
        header.encode(&mut |part| self.buffer.put_slice(part));
        self.buffer.append(payload);
        let length = self.buffer.written_since(start);
        self.finish(start);
        length
    }

    #[inline]
    fn finish(&mut self, start: Position) {
        let length = self.buffer.written_since(start);
        self.buffer.patch(start, &u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        self.queued += u64::try_from(length).unwrap_or_default();
    }

    /// Takes everything out, to be written. `emptied` is the buffer that was taken last time, for reuse.
    pub(crate) fn take(&mut self, emptied: Buffer) -> Buffer {
        self.flush_scheduled = false;
        self.is_taken = true;
        std::mem::replace(&mut self.buffer, emptied)
    }

    /// Puts back what was taken and not written, before all else.
    pub(crate) fn give_back(&mut self, unwritten: Buffer) {
        let mut rest = std::mem::replace(&mut self.buffer, unwritten);
        self.buffer.append(&mut rest);
        self.is_taken = false;
    }

    /// The buffer, for a write under the lock.
    pub(crate) fn buffer_mut(&mut self) -> &mut Buffer {
        &mut self.buffer
    }

    /// The transport has accepted this many more bytes.
    pub(crate) fn note_written(&mut self, bytes: usize) {
        self.written += u64::try_from(bytes).unwrap_or_default();
    }

    /// Discards everything, for the next connection.
    pub(crate) fn reset(&mut self) {
        *self = Self { queued: self.queued, written: self.queued, ..Self::default() };
    }
}

/// Removes an unfinished frame from the buffer when dropped.
struct Unfinished<'a> {
    start: Option<Position>,
    buffer: &'a mut Buffer,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(start) = self.start.take() {
            self.buffer.truncate(start);
        }
    }
}

/// As much of a text as fits into this many bytes.
pub(super) fn truncated(text: &str, max_bytes: usize) -> &str {
    let mut length = text.len().min(max_bytes);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    text.get(..length).unwrap_or_default()
}
