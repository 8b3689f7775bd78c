//! Reads bytes and splits them into frames.
//!
//! Invariants: a connection without an incomplete frame owns no buffer (all connections of a thread share a
//! scratch buffer); the memory reserved for a frame is its checked length at most, and a large frame needs
//! budget for it; the rest of a frame that exceeds the budget is discarded, so that the frames after it still
//! arrive.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};

use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{HEADER_LENGTH, Kind, MAX_PAYLOAD_OFFSET, Size, frame_size};
use crate::protocol::streams::{Caller, StreamDetail};
use crate::resources::{MemoryAccount, Resources};
use crate::transport::Stream;

const SCRATCH: usize = 64 * 1024;

thread_local! {
    static SPACE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The reading half of a connection, with the bytes that were read and not parsed yet.
#[derive(Debug)]
pub(crate) struct FrameReader {
    stream: Arc<Stream>,
    partial: BytesMut,
    /// The size of the incomplete large frame, once there is budget for it.
    expected: usize,
    /// Bytes still to discard of a frame that exceeds the budget.
    to_discard: usize,
    resources: Resources,
    memory: MemoryAccount,
}

/// How much of a frame was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// Header and options only: the payload exceeds the memory budget.
    Head,
}

impl FrameReader {
    pub(crate) fn new(stream: Arc<Stream>, resources: &Resources) -> Self {
        let memory = resources.memory_account();
        let resources = resources.clone();
        Self { stream, partial: BytesMut::new(), expected: 0, to_discard: 0, resources, memory }
    }

    /// The bytes that were read and not parsed yet. The handshake takes its messages from here.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.partial
    }

    /// Whether part of a frame has arrived.
    pub(crate) fn is_inside_frame(&self) -> bool {
        !self.partial.is_empty() || self.to_discard > 0
    }

    /// Reads once. Zero is the end of the stream.
    #[inline]
    pub(crate) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            match self.try_fill() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The socket ended without a TLS close_notify. Frames say whether the connection ended
                // properly, so this is an end like any other.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Poll::Ready(Ok(0)),
                result => return Poll::Ready(result),
            }
        }
    }

    #[inline]
    fn try_fill(&mut self) -> io::Result<usize> {
        let missing = self.expected.saturating_sub(self.partial.len());
        if missing > SCRATCH {
            self.partial.reserve(missing);
            return self.stream.try_read(&mut self.partial);
        }
        SPACE.with_borrow_mut(|space| {
            if space.is_empty() {
                space.resize(SCRATCH, 0);
            }
            let count = self.stream.try_read_all(space)?;
            let bytes = space.get(..count).unwrap_or_default();
            if self.partial.is_empty() {
                self.partial = BytesMut::from(bytes);
            } else {
                self.partial.reserve(missing.max(count));
                self.partial.extend_from_slice(bytes);
            }
            Ok(count)
        })
    }

    /// The next frame that has arrived, or the head of one that exceeds the memory budget.
    ///
    /// # Errors
    /// A length that no frame may have.
    #[inline]
    pub(crate) fn next_frame(&mut self, limit: usize) -> Result<Option<(Bytes, Part)>, ProtocolError> {
        if self.to_discard > 0 && !self.discard() {
            return Ok(None);
        }
        let Size::Known(size) = frame_size(&self.partial, limit)? else { return Ok(None) };
        if self.partial.len() < size {
            return Ok(if size > SCRATCH && self.expected == 0 { self.begin_large(size) } else { None });
        }
        if std::mem::take(&mut self.expected) > 0 {
            self.memory.report(0);
        }
        if self.partial.len() == size {
            return Ok(Some((std::mem::take(&mut self.partial).freeze(), Part::Whole)));
        }
        Ok(Some((self.partial.split_to(size).freeze(), Part::Whole)))
    }

    /// Decides about a large frame when its header has arrived: reserves memory for it, or returns its head.
    #[cold]
    fn begin_large(&mut self, size: usize) -> Option<(Bytes, Part)> {
        let offset = refusable_head(&self.partial)?;
        let bytes = u64::try_from(size).unwrap_or(u64::MAX);
        if offset > 0 && self.resources.has_no_memory_for(bytes) {
            let head = self.partial.split_to(offset).freeze();
            self.to_discard = size - offset;
            self.discard();
            return Some((head, Part::Head));
        }
        self.expected = size;
        self.memory.report(bytes);
        None
    }

    /// Discards what has arrived of a frame that exceeds the budget. Returns whether that was the rest of it.
    #[cold]
    fn discard(&mut self) -> bool {
        let count = self.to_discard.min(self.partial.len());
        self.partial.advance(count);
        self.to_discard -= count;
        if self.partial.is_empty() {
            self.partial = BytesMut::new();
        }
        self.to_discard == 0
    }
}

/// The offset of the payload of a frame that may be refused: a call or its stream, but not an answer. Zero
/// for other frames; `None` until header and options have arrived.
fn refusable_head(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<HEADER_LENGTH>()?;
    let [_, _, _, _, kind, _, o0, o1, ..] = *header;
    let [.., d0, d1, d2, d3] = *header;
    let may_be_refused = match Kind::from_byte(kind) {
        Some(Kind::Call | Kind::Oneway) => true,
        Some(Kind::StreamItem) => {
            StreamDetail::decode(u32::from_le_bytes([d0, d1, d2, d3])).caller == Caller::Peer
        }
        _ => false,
    };
    let offset = usize::from(u16::from_le_bytes([o0, o1]));
    // A malformed frame is reported when it is parsed.
    if !may_be_refused || !(HEADER_LENGTH..=MAX_PAYLOAD_OFFSET).contains(&offset) {
        return Some(0);
    }
    (bytes.len() >= offset).then_some(offset)
}
