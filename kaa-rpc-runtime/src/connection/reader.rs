//! Reads bytes and cuts them into frames.
//!
//! Invariants: a connection that has nothing half-read owns no buffer (a thread's scratch space serves all of its
//! connections); no more is reserved for a frame than its checked length, and for a large one only if the process has the
//! memory; what is not taken for want of memory is read past, so that what is behind it still comes.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};

use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{HEADER_LENGTH, Kind, MAX_PAYLOAD_OFFSET, Size, frame_size};
use crate::protocol::streams::{Caller, StreamDetail};
use crate::resources::{Resources, Usage};
use crate::transport::Stream;

const SCRATCH: usize = 64 * 1024;

thread_local! {
    static SPACE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The reading half with what it has read and nobody has taken.
#[derive(Debug)]
pub(crate) struct FrameReader {
    stream: Arc<Stream>,
    partial: BytesMut,
    /// Bytes of the frame that is half here, once it is taken.
    wanted: usize,
    /// Bytes of a frame that is not taken, still to come.
    unwanted: usize,
    resources: Resources,
    usage: Usage,
}

/// How much of a frame was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// There is no memory for its payload: header and options only.
    Head,
}

impl FrameReader {
    pub(crate) fn new(stream: Arc<Stream>, resources: &Resources) -> Self {
        let usage = resources.usage();
        let resources = resources.clone();
        Self { stream, partial: BytesMut::new(), wanted: 0, unwanted: 0, resources, usage }
    }

    /// What has been read and not taken: the handshake takes its messages from here.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.partial
    }

    /// Whether a frame is half here.
    pub(crate) fn is_amid_frame(&self) -> bool {
        !self.partial.is_empty() || self.unwanted > 0
    }

    /// Reads once; zero is the end.
    #[inline]
    pub(crate) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            match self.try_fill() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A channel whose socket has ended, and not the channel. What has ended properly is said by frames, never
                // by the transport, so it is an end as any other.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Poll::Ready(Ok(0)),
                result => return Poll::Ready(result),
            }
        }
    }

    #[inline]
    fn try_fill(&mut self) -> io::Result<usize> {
        let missing = self.wanted.saturating_sub(self.partial.len());
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

    /// The next whole frame that is here, or the head of one that there is no memory for.
    ///
    /// # Errors
    /// A length that no frame may have.
    #[inline]
    pub(crate) fn next_frame(&mut self, limit: usize) -> Result<Option<(Bytes, Part)>, ProtocolError> {
        if self.unwanted > 0 && !self.pass_over() {
            return Ok(None);
        }
        let Size::Known(size) = frame_size(&self.partial, limit)? else { return Ok(None) };
        if self.partial.len() < size {
            return Ok(if size > SCRATCH && self.wanted == 0 { self.begin_large(size) } else { None });
        }
        if std::mem::take(&mut self.wanted) > 0 {
            self.usage.tell(0);
        }
        if self.partial.len() == size {
            return Ok(Some((std::mem::take(&mut self.partial).freeze(), Part::Whole)));
        }
        Ok(Some((self.partial.split_to(size).freeze(), Part::Whole)))
    }

    /// Decides about a large frame when its header is here: takes it, or its head.
    #[cold]
    fn begin_large(&mut self, size: usize) -> Option<(Bytes, Part)> {
        let offset = refusable_head(&self.partial)?;
        let bytes = u64::try_from(size).unwrap_or(u64::MAX);
        if offset > 0 && self.resources.has_no_memory_for(bytes) {
            let head = self.partial.split_to(offset).freeze();
            self.unwanted = size - offset;
            self.pass_over();
            return Some((head, Part::Head));
        }
        self.wanted = size;
        self.usage.tell(bytes);
        None
    }

    /// Throws away what is here of a frame that is not taken. Whether that was the rest of it.
    #[cold]
    fn pass_over(&mut self) -> bool {
        let here = self.unwanted.min(self.partial.len());
        self.partial.advance(here);
        self.unwanted -= here;
        if self.partial.is_empty() {
            self.partial = BytesMut::new();
        }
        self.unwanted == 0
    }
}

/// Where the payload begins of a frame that may be refused: of what the peer asks for, and not of what it answers. Zero
/// if it may not; nothing if header and options are not here yet.
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
    // What is malformed is told of as a whole.
    if !may_be_refused || !(HEADER_LENGTH..=MAX_PAYLOAD_OFFSET).contains(&offset) {
        return Some(0);
    }
    (bytes.len() >= offset).then_some(offset)
}
