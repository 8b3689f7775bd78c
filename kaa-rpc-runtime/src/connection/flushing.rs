//! How a driver writes: everything that was queued, with as few writes as the transport takes.
//!
//! Invariants: before a flush that somebody else asked for the driver yields once, so that other ready tasks can add to it;
//! what was written is noted at once, since calls end by it.

use std::io;
use std::task::{Context, Poll, Waker};

use super::driver::{Driver, Turn};

/// Segments of one vectored write.
const SEGMENTS: usize = 32;

impl Driver {
    /// Writes what there is, unless it is wiser to wait for more.
    pub(super) fn flush(&mut self, context: &mut Context<'_>, turn: Turn) -> io::Result<()> {
        loop {
            if self.flushing.is_empty() {
                let mut state = self.link.lock();
                if state.output.is_empty() {
                    state.output.flusher_holds = false;
                    let is_line_left = state.streams.has_waiters();
                    drop(state);
                    self.has_yielded = false;
                    if is_line_left {
                        self.let_line_go_on(context);
                    }
                    return self.finish_flush(context);
                }
                if state.output.flush_scheduled && turn == Turn::Rest && !self.has_yielded {
                    self.has_yielded = true;
                    context.waker().wake_by_ref();
                    return Ok(());
                }
                self.has_yielded = false;
                self.flushing = state.output.take(std::mem::take(&mut self.flushing));
            }
            let mut slices = [io::IoSlice::new(&[]); SEGMENTS];
            let count = self.flushing.chunks(&mut slices);
            match self.stream.try_write_vectored(slices.get(..count).unwrap_or_default()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.flushing.advance(written);
                    self.note_written(written);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match self.stream.poll_write_ready(context) {
                        Poll::Ready(ready) => ready?,
                        Poll::Pending => return Ok(()),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sockets are done; other streams may hold bytes back.
    fn finish_flush(&self, context: &mut Context<'_>) -> io::Result<()> {
        if self.stream.is_socket() {
            return Ok(());
        }
        while let Err(error) = self.stream.try_flush() {
            if error.kind() != io::ErrorKind::WouldBlock {
                return Err(error);
            }
            match self.stream.poll_write_ready(context) {
                Poll::Ready(ready) => ready?,
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Everything is written, and whoever was let go on may have nothing to send, or no time: the next are let go on,
    /// unless there is output again by then.
    #[cold]
    fn let_line_go_on(&self, context: &mut Context<'_>) {
        let mut wakers = Vec::new();
        self.link.lock().let_streams_go_on(&mut wakers);
        wakers.into_iter().for_each(Waker::wake);
        context.waker().wake_by_ref();
    }

    fn note_written(&self, written: usize) {
        let mut wakers = Vec::new();
        {
            let mut state = self.link.lock();
            if state.epoch != self.epoch {
                return;
            }
            state.output.note_written(written);
            state.counts.bytes_written += u64::try_from(written).unwrap_or_default();
            let position = state.output.written();
            state.incoming.flushed(position);
            if !state.queue.is_empty() {
                state.pump(&self.link.configuration, &mut wakers);
            }
            if state.streams.has_waiters() {
                state.let_streams_go_on(&mut wakers);
            }
            state.tell_usage();
        }
        wakers.into_iter().for_each(Waker::wake);
    }
}
