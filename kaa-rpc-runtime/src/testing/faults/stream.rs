//! One end of a connection, under faults.
//!
//! Invariants: whoever waits here is woken by every change of the faults; no lock is held while the stream beneath is
//! polled; a cut drops that stream, so that its other end sees the loss as well.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::flow::{Flow, Settings, Way};
use super::{Cut, Shared};

/// Most bytes of one read of the stream beneath.
const SCRATCH: usize = 16 * 1024;

pub(super) trait Io: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Io for T {}

/// One end of a connection, which fails as its [`Faults`](super::Faults) say. Where there is a delay, what is written
/// arrives while somebody flushes, or when this is dropped; connections of this crate do flush.
pub struct FaultyIo {
    /// `None` only in the drop.
    end: Option<End>,
}

/// What the handle knows of the connections that it has wrapped.
#[derive(Default)]
pub(super) struct Entries {
    next: u64,
    open: BTreeMap<u64, Entry>,
}

#[derive(Default)]
struct Entry {
    reader: Option<Waker>,
    writer: Option<Waker>,
    cut: Option<Cut>,
}

impl Entries {
    fn add(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        self.open.insert(number, Entry::default());
        number
    }

    pub(super) fn living(&self) -> usize {
        self.open.values().filter(|entry| entry.cut.is_none()).count()
    }

    pub(super) fn cut_all(&mut self, how: Cut) {
        for entry in self.open.values_mut() {
            entry.cut.get_or_insert(how);
        }
    }

    pub(super) fn take_wakers(&mut self) -> Vec<Waker> {
        let wakers = |entry: &mut Entry| [entry.reader.take(), entry.writer.take()];
        self.open.values_mut().flat_map(wakers).flatten().collect()
    }
}

impl FaultyIo {
    pub(super) fn new(shared: Arc<Shared>, io: Pin<Box<dyn Io>>) -> Self {
        let number = shared.lock().entries.add();
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
    /// Looks at the faults, and asks to be woken when they change. A cut that is due is made.
    fn look(&mut self, context: &Context<'_>, way: Way) -> Result<Settings, Cut> {
        let mut wakers = [None, None];
        let result = {
            let mut state = self.shared.lock();
            let due = state.outgoing.take_cut().or_else(|| state.incoming.take_cut());
            let settings = state.settings(way).clone();
            let Some(entry) = state.entries.open.get_mut(&self.number) else { return Err(Cut::Reset) };
            if entry.cut.is_none() && due.is_some() {
                entry.cut = due;
                wakers = [entry.reader.take(), entry.writer.take()];
            }
            let waiting = match way {
                Way::Incoming => &mut entry.reader,
                Way::Outgoing => &mut entry.writer,
            };
            match waiting {
                Some(waiting) => waiting.clone_from(context.waker()),
                None => *waiting = Some(context.waker().clone()),
            }
            entry.cut.map_or(Ok(settings), Err)
        };
        if result.is_err() {
            self.io = None;
        }
        wakers.into_iter().flatten().for_each(Waker::wake);
        result
    }

    /// So many bytes have arrived.
    fn note_passed(&mut self, context: &Context<'_>, way: Way, count: usize) {
        self.shared.lock().settings(way).note_passed(count);
        // A cut that is due now does not wait for a further byte.
        let _due = self.look(context, way);
    }

    fn poll_write_beneath(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Some(io) => io.as_mut().poll_write(context, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_read_beneath(&mut self, context: &mut Context<'_>, most: usize) -> Poll<io::Result<Bytes>> {
        let Some(io) = &mut self.io else { return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())) };
        let mut space = vec![0; most.min(SCRATCH)];
        let mut buffer = ReadBuf::new(&mut space);
        ready!(io.as_mut().poll_read(context, &mut buffer))?;
        let count = buffer.filled().len();
        space.truncate(count);
        Poll::Ready(Ok(space.into()))
    }

    /// Lets arrive what is due. Ready when nothing is on its way.
    fn poll_deliver(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let settings = self.look(context, Way::Outgoing).map_err(Cut::write_error)?;
            if settings.is_stalled {
                return Poll::Pending;
            }
            let Some(bytes) = ready!(self.outgoing.poll_front(context)) else { return Poll::Ready(Ok(())) };
            let most = settings.allowed(settings.portion(bytes.len()));
            let part = bytes.get(..most).unwrap_or_default();
            let count = if part.is_empty() { 0 } else { ready!(self.poll_write_beneath(context, part))? };
            if count == 0 && !part.is_empty() {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.outgoing.advance(count);
            self.note_passed(context, Way::Outgoing, count);
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let settings = self.look(context, Way::Outgoing).map_err(Cut::write_error)?;
        if settings.is_stalled {
            return Poll::Pending;
        }
        let delivered = self.poll_deliver(context)?;
        ready!(self.outgoing.poll_free(context, &settings));
        let part = bytes.get(..settings.portion(bytes.len())).unwrap_or_default();
        let count = if settings.delay.is_zero() && self.outgoing.is_empty() {
            let part = part.get(..settings.allowed(part.len())).unwrap_or_default();
            let count = ready!(self.poll_write_beneath(context, part))?;
            self.note_passed(context, Way::Outgoing, count);
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
        let settings = match self.look(context, Way::Incoming) {
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
        // With nothing on its way, what is beneath has nothing, or the rate lets nothing pass.
        let Some(bytes) = ready!(self.incoming.poll_front(context)) else { return Poll::Pending };
        if bytes.is_empty() {
            // It stays at the front: the end is the end.
            return Poll::Ready(Ok(()));
        }
        let most = settings.allowed(settings.portion(bytes.len().min(buffer.remaining())));
        buffer.put_slice(bytes.get(..most).unwrap_or_default());
        self.incoming.advance(most);
        self.note_passed(context, Way::Incoming, most);
        Poll::Ready(Ok(()))
    }

    /// Takes from beneath what is there, as of now. Where there is no delay, no more than is handed on at once.
    fn poll_collect(&mut self, context: &mut Context<'_>, settings: &Settings) -> io::Result<()> {
        while !self.input_has_ended
            && !self.incoming.is_full()
            && (self.incoming.is_empty() || !settings.delay.is_zero())
            && self.incoming.poll_free(context, settings).is_ready()
        {
            match self.poll_read_beneath(context, settings.portion(SCRATCH)) {
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
        self.shared.lock().entries.open.remove(&self.number);
    }
}

/// What is on its way arrives still, and then the end, if there is a runtime to see to it.
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
                // A cut meanwhile is its end as well.
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
