//! Reads bytes and cuts them into frames.
//!
//! Invariants: a connection that has nothing half-read owns no buffer (a thread's scratch space serves all of its
//! connections); no more is reserved for a frame than its checked length.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};

use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{Size, frame_size};
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
    /// Bytes of the frame that is half here, once its length is.
    wanted: usize,
}

impl FrameReader {
    pub(crate) fn new(stream: Arc<Stream>) -> Self {
        Self { stream, partial: BytesMut::new(), wanted: 0 }
    }

    /// What has been read and not taken: the handshake takes its messages from here.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.partial
    }

    /// Whether a frame is half here.
    pub(crate) fn is_amid_frame(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Reads once; zero is the end.
    #[inline]
    pub(crate) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            match self.try_fill() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
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

    /// The next whole frame that is here.
    ///
    /// # Errors
    /// A length that no frame may have.
    #[inline]
    pub(crate) fn next_frame(&mut self, limit: usize) -> Result<Option<Bytes>, ProtocolError> {
        let Size::Known(size) = frame_size(&self.partial, limit)? else {
            self.wanted = 0;
            return Ok(None);
        };
        if self.partial.len() < size {
            self.wanted = size;
            return Ok(None);
        }
        self.wanted = 0;
        if self.partial.len() == size {
            return Ok(Some(std::mem::take(&mut self.partial).freeze()));
        }
        Ok(Some(self.partial.split_to(size).freeze()))
    }
}
