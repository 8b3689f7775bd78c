//! The connection's output: frames are encoded straight into it; positions count every byte ever queued.
//!
//! Invariants: a frame is in the buffer whole or not at all, also if its encoder fails or panics; `written <= queued`.

use crate::codec::{Buffer, EncodeError, Encoder, Position};
use crate::protocol::frame::Header;
use crate::protocol::metadata::Metadata;

/// Frames that wait for the flusher.
#[derive(Debug, Default)]
pub(crate) struct Output {
    buffer: Buffer,
    queued: u64,
    written: u64,
    /// A flush has been asked for and has not begun.
    pub(crate) flush_scheduled: bool,
    /// The flusher holds bytes that it has not written yet.
    pub(crate) flusher_holds: bool,
}

impl Output {
    /// Where the next frame will begin.
    pub(crate) fn queued(&self) -> u64 {
        self.queued
    }

    /// How far the transport has taken it.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// How far it may be with the transport: what the flusher holds it may be writing at this moment.
    pub(crate) fn handed_over(&self) -> u64 {
        if self.flusher_holds {
            self.queued.saturating_sub(u64::try_from(self.buffer.len()).unwrap_or(u64::MAX))
        } else {
            self.written
        }
    }

    /// Bytes that the transport has not taken.
    pub(crate) fn pending(&self) -> u64 {
        self.queued.saturating_sub(self.written)
    }

    /// Whether nothing waits for the flusher (it may hold bytes itself).
    pub(crate) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Encodes a frame of at most `limit` bytes, with the metadata that its header announces.
    ///
    /// # Errors
    /// Whatever `body` returns, and [`EncodeError`] for a frame over the limit; the output is then as it was.
    #[inline]
    pub(crate) fn frame(
        &mut self,
        header: &Header,
        metadata: Option<&Metadata>,
        limit: usize,
        body: &mut dyn FnMut(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let head = header.encoded_length();
        // Arguments without bytes would not notice.
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

    /// A frame whose payload is these bytes, which are known to fit.
    pub(crate) fn plain_frame(&mut self, header: &Header, payload: &[u8]) {
        self.queued_frame(header, None, payload);
    }

    /// The same with the metadata that the header announces.
    pub(crate) fn queued_frame(&mut self, header: &Header, metadata: Option<&Metadata>, payload: &[u8]) {
        let start = self.buffer.position();
        header.encode(&mut |part| self.buffer.put_slice(part));
        if let Some(metadata) = metadata {
            self.buffer.put_slice(metadata.encoded());
        }
        self.buffer.put_slice(payload);
        self.finish(start);
    }

    /// A frame whose payload is all that `payload` holds, which is then empty. Its length.
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

    /// Hands everything to the flusher, which returns the emptied buffer of the last time.
    pub(crate) fn take(&mut self, emptied: Buffer) -> Buffer {
        self.flush_scheduled = false;
        self.flusher_holds = true;
        std::mem::replace(&mut self.buffer, emptied)
    }

    /// The flusher goes, and leaves what it has not written: it is still the first to be written.
    pub(crate) fn give_back(&mut self, unwritten: Buffer) {
        let mut behind = std::mem::replace(&mut self.buffer, unwritten);
        self.buffer.append(&mut behind);
        self.flusher_holds = false;
    }

    /// The buffer, for a write by whoever holds the lock.
    pub(crate) fn buffer_mut(&mut self) -> &mut Buffer {
        &mut self.buffer
    }

    /// The transport has taken this many more bytes.
    pub(crate) fn note_written(&mut self, bytes: usize) {
        self.written += u64::try_from(bytes).unwrap_or_default();
    }

    /// Forgets everything: the connection is gone, another may come.
    pub(crate) fn reset(&mut self) {
        *self = Self { queued: self.queued, written: self.queued, ..Self::default() };
    }
}

/// Takes an unfinished frame back out of the buffer.
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
