//! A wrapped end of a connection.
//!
//! Invariants:
//! - Every change of the faults wakes all waiting readers and writers.
//! - No lock is held while the inner stream is polled.
//! - A cut drops the inner stream, so that its other end sees the loss too.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::flow::Flow;
use super::settings::{Cut, Direction, Settings};
use super::shared::Shared;

/// The maximum size of one read from the inner stream.
const MAX_READ: usize = 16 * 1024;

pub(super) trait Io: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Io for T {}

/// One end of a connection that fails as its [`Faults`](super::Faults) specify. With a delay, written bytes
/// arrive only during a flush, or after this is dropped. Connections of this crate flush.
pub struct FaultyIo {
    /// `None` only while this is dropped.
    end: Option<End>,
}

impl FaultyIo {
    pub(super) fn new(shared: Arc<Shared>, io: Pin<Box<dyn Io>>) -> Self {
        let number = shared.lock().connections.add();
        let end = End {
            shared,
            number,
            io: Some(io),
            outgoing: Flow::default(),
            incoming: Flow::default(),
            input_has_ended: false,
        };
        Self { end: Some(end) }
    }

    fn end(&mut self) -> io::Result<&mut End> {
        self.end.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

struct End {
    shared: Arc<Shared>,
    number: u64,
    /// `None` after a cut.
    io: Option<Pin<Box<dyn Io>>>,
    outgoing: Flow,
    incoming: Flow,
    input_has_ended: bool,
}

impl End {
    /// Reads the settings, and registers to be woken when they change. Carries out a cut that is due.
    fn check(&mut self, context: &Context<'_>, direction: Direction) -> Result<Settings, Cut> {
        let mut wakers = [None, None];
        let result = {
            let mut state = self.shared.lock();
            let due = state.outgoing.take_cut().or_else(|| state.incoming.take_cut());
            let settings = state.settings(direction).clone();
            let connection = state.connections.by_number(self.number).ok_or(Cut::Reset)?;
            if connection.cut.is_none() && due.is_some() {
                connection.cut = due;
                wakers = [connection.reader.take(), connection.writer.take()];
            }
            let waker = match direction {
                Direction::Incoming => &mut connection.reader,
                Direction::Outgoing => &mut connection.writer,
            };
            match waker {
                Some(waker) => waker.clone_from(context.waker()),
                None => *waker = Some(context.waker().clone()),
            }
            connection.cut.map_or(Ok(settings), Err)
        };
        if result.is_err() {
            self.io = None;
        }
        wakers.into_iter().flatten().for_each(Waker::wake);
        result
    }

    /// Counts bytes that have arrived.
    fn note_passed(&mut self, context: &Context<'_>, direction: Direction, count: usize) {
        self.shared.lock().settings(direction).note_passed(count);
        // A cut that is due now must not wait for the next byte.
        let _cut = self.check(context, direction);
    }

    fn poll_write_inner(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Some(io) => io.as_mut().poll_write(context, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_read_inner(&mut self, context: &mut Context<'_>, max: usize) -> Poll<io::Result<Bytes>> {
        let Some(io) = &mut self.io else { return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())) };
        let mut space = vec![0; max.min(MAX_READ)];
        let mut buffer = ReadBuf::new(&mut space);
        ready!(io.as_mut().poll_read(context, &mut buffer))?;
        let count = buffer.filled().len();
        space.truncate(count);
        Poll::Ready(Ok(space.into()))
    }

    /// Delivers the bytes that are due. Ready when no bytes are in transit.
    fn poll_deliver(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let settings = self.check(context, Direction::Outgoing).map_err(Cut::write_error)?;
            if settings.is_stalled {
                return Poll::Pending;
            }
            let Some(bytes) = ready!(self.outgoing.poll_front(context)) else { return Poll::Ready(Ok(())) };
            let allowed = settings.allowed(settings.portion(bytes.len()));
            let part = bytes.get(..allowed).unwrap_or_default();
            let count = if part.is_empty() { 0 } else { ready!(self.poll_write_inner(context, part))? };
            if count == 0 && !part.is_empty() {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outgoing.advance(count);
            self.note_passed(context, Direction::Outgoing, count);
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let settings = self.check(context, Direction::Outgoing).map_err(Cut::write_error)?;
        if settings.is_stalled {
            return Poll::Pending;
        }
        let delivered = self.poll_deliver(context)?;
        ready!(self.outgoing.poll_free(context, &settings));
        let part = bytes.get(..settings.portion(bytes.len())).unwrap_or_default();
        let count = if settings.delay.is_zero() && self.outgoing.is_empty() {
            let part = part.get(..settings.allowed(part.len())).unwrap_or_default();
            let count = ready!(self.poll_write_inner(context, part))?;
            self.note_passed(context, Direction::Outgoing, count);
            count
        } else if self.outgoing.is_full() {
            ready!(delivered);
            return Poll::Pending;
        } else {
            self.outgoing.send(Bytes::copy_from_slice(part), settings.delay);
            part.len()
        };
        self.outgoing.take_time(count, &settings);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_deliver(context))?;
        match &mut self.io {
            Some(io) => io.as_mut().poll_flush(context),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_deliver(context))?;
        match &mut self.io {
            Some(io) => io.as_mut().poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let settings = match self.check(context, Direction::Incoming) {
            Ok(settings) => settings,
            Err(cut) => return Poll::Ready(cut.read_error().map_or(Ok(()), Err)),
        };
        if settings.is_stalled {
            return Poll::Pending;
        }
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        self.poll_collect(context, &settings)?;
        // No bytes in transit: the inner stream has none, or the rate allows none.
        let Some(bytes) = ready!(self.incoming.poll_front(context)) else { return Poll::Pending };
        if bytes.is_empty() {
            // The end of the stream stays at the front, for further reads.
            return Poll::Ready(Ok(()));
        }
        let count = settings.allowed(settings.portion(bytes.len().min(buffer.remaining())));
        buffer.put_slice(bytes.get(..count).unwrap_or_default());
        self.incoming.advance(count);
        self.note_passed(context, Direction::Incoming, count);
        Poll::Ready(Ok(()))
    }

    /// Reads available bytes from the inner stream. Without a delay it reads only what can be passed on at
    /// once.
    fn poll_collect(&mut self, context: &mut Context<'_>, settings: &Settings) -> io::Result<()> {
        while !self.input_has_ended
            && !self.incoming.is_full()
            && (self.incoming.is_empty() || !settings.delay.is_zero())
            && self.incoming.poll_free(context, settings).is_ready()
        {
            match self.poll_read_inner(context, settings.portion(MAX_READ)) {
                Poll::Pending => break,
                Poll::Ready(bytes) => {
                    let bytes = bytes?;
                    self.input_has_ended = bytes.is_empty();
                    self.incoming.take_time(bytes.len(), settings);
                    self.incoming.send(bytes, settings.delay);
                }
            }
        }
        Ok(())
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.shared.lock().connections.remove(self.number);
    }
}

/// Bytes in transit still arrive, followed by the end of the stream, if a tokio runtime can run the task for
/// it.
impl Drop for FaultyIo {
    fn drop(&mut self) {
        let Some(mut end) = self.end.take() else { return };
        let delay = end.shared.lock().outgoing.delay;
        if end.io.is_none() || (end.outgoing.is_empty() && delay.is_zero()) {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            end.outgoing.send(Bytes::new(), delay);
            runtime.spawn(async move {
                // A cut in the meantime ends the task too.
                let _cut = poll_fn(|context| end.poll_flush(context)).await;
            });
        }
    }
}

impl AsyncRead for FaultyIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.end()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for FaultyIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.end()?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end()?.poll_shutdown(context)
    }
}

impl fmt::Debug for FaultyIo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let io = self.end.as_ref().and_then(|end| end.io.as_ref());
        formatter.debug_struct("FaultyIo").field("is_connected", &io.is_some()).finish_non_exhaustive()
    }
}
