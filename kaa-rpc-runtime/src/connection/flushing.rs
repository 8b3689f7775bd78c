//! How the driver writes the output, with as few writes as possible.
//!
//! Invariants: before a flush that another task requested the driver yields once, so that other ready tasks
//! can add to it; written bytes are noted at once, because calls end by them.

use std::io;
use std::task::{Context, Poll};

use super::driver::{Driver, Turn};

/// The maximum number of segments in one vectored write.
const SEGMENTS: usize = 32;

impl Driver {
    /// Writes all output, unless other tasks may add to it first.
    pub(super) fn flush(&mut self, context: &mut Context<'_>, turn: Turn) -> io::Result<()> {
        loop {
            if self.flushing.is_empty() {
                let mut state = self.link.lock();
                if state.output.is_empty() {
                    state.output.is_taken = false;
                    let have_streams_to_wake = state.streams.has_waiters();
                    drop(state);
                    self.has_yielded = false;
                    if have_streams_to_wake {
                        self.wake_streams(context);
                    }
                    return self.finish_flush(context);
                }
                if state.output.flush_scheduled && turn == Turn::Idle && !self.has_yielded {
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

    /// Flushes a stream that is not a socket and may buffer bytes.
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

    /// All output is written. The streams that were woken before may have nothing to send, so wakes the next
    /// ones, unless there is output again by then.
    #[cold]
    fn wake_streams(&self, context: &mut Context<'_>) {
        let mut guard = self.link.update();
        guard.state.wake_streams(&mut guard.wakers);
        drop(guard);
        context.waker().wake_by_ref();
    }

    fn note_written(&self, written: usize) {
        let mut guard = self.link.update();
        let (state, wakers) = (&mut *guard.state, &mut guard.wakers);
        if state.epoch != self.epoch {
            return;
        }
        state.output.note_written(written);
        state.counts.bytes_written += u64::try_from(written).unwrap_or_default();
        let position = state.output.written();
        state.incoming.flushed(position);
        if !state.queue.is_empty() {
            state.send_queued(&self.link.settings, wakers);
        }
        if state.streams.has_waiters() {
            state.wake_streams(wakers);
        }
        state.report_memory();
    }
}
