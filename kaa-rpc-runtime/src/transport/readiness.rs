//! Gives anything that is `AsyncRead + AsyncWrite` the manners of a socket: readiness to wait for, tries that do not
//! wait.
//!
//! How: each direction is polled with a waker of our own, that notes readiness and passes the wake on to whoever waits.
//! A direction is ready until a try finds that it is not, as with tokio's sockets, so no byte is ever held here.
//!
//! Invariants: the lock is held during one poll only; a wake between poll and wait is not lost, because it leaves its
//! mark in the signal.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::task::coop;

trait Io: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Io for T {}

/// Any stream, with a socket's manners.
pub(super) struct Emulated {
    io: Mutex<Pin<Box<dyn Io>>>,
    reading: Direction,
    writing: Direction,
}

impl Emulated {
    pub(super) fn new(io: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        Self { io: Mutex::new(Box::pin(io)), reading: Direction::new(), writing: Direction::new() }
    }

    pub(super) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.reading.signal.poll(context).map(Ok)
    }

    pub(super) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writing.signal.poll(context).map(Ok)
    }

    pub(super) fn try_read(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        let mut io = self.lock();
        let mut io = io.as_mut();
        // A read that is dropped before it is done has taken nothing.
        self.reading.attempt(io.read_buf(buffer))
    }

    pub(super) fn try_read_slice(&self, space: &mut [u8]) -> io::Result<usize> {
        let mut io = self.lock();
        let mut io = io.as_mut();
        self.reading.attempt(io.read(space))
    }

    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut io = self.lock();
        let written =
            self.writing.attempt(poll_fn(|context| io.as_mut().poll_write_vectored(context, slices)))?;
        // So that a writer who has nothing more to say need not wait for somebody to flush. Whether it is done yet, and
        // what is wrong if it cannot be, the next try will tell.
        let _ = self.writing.attempt(poll_fn(|context| io.as_mut().poll_flush(context)));
        self.writing.signal.mark_ready();
        Ok(written)
    }

    pub(super) fn try_flush(&self) -> io::Result<()> {
        let mut io = self.lock();
        self.writing.attempt(poll_fn(|context| io.as_mut().poll_flush(context)))
    }

    pub(super) fn try_shutdown(&self) -> io::Result<()> {
        let mut io = self.lock();
        self.writing.attempt(poll_fn(|context| io.as_mut().poll_shutdown(context)))
    }

    fn lock(&self) -> MutexGuard<'_, Pin<Box<dyn Io>>> {
        self.io.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Emulated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Emulated").finish_non_exhaustive()
    }
}

/// Reading or writing: the signal, and the waker that sets it.
struct Direction {
    signal: Arc<Signal>,
    waker: Waker,
}

impl Direction {
    fn new() -> Self {
        let signal = Arc::new(Signal { state: Mutex::new(SignalState { ready: true, waiting: None }) });
        Self { waker: Waker::from(Arc::clone(&signal)), signal }
    }

    /// One poll. The task's budget does not count here, or a try could fail for ever within one turn of a task.
    fn attempt<T>(&self, future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        // Cleared before, not after: a wake that comes during the poll must stay.
        self.signal.lock().ready = false;
        match pin!(coop::unconstrained(future)).poll(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(result) => {
                self.signal.mark_ready();
                result
            }
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

struct Signal {
    state: Mutex<SignalState>,
}

struct SignalState {
    ready: bool,
    waiting: Option<Waker>,
}

impl Signal {
    /// Waits for the mark. Costs a bit of the task's budget, so that a peer that is always ready starves nobody.
    fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        let budget = ready!(coop::poll_proceed(context));
        let mut state = self.lock();
        if state.ready {
            budget.made_progress();
            return Poll::Ready(());
        }
        match &mut state.waiting {
            Some(waiting) => waiting.clone_from(context.waker()),
            None => state.waiting = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    fn mark_ready(&self) {
        let waiting = {
            let mut state = self.lock();
            state.ready = true;
            state.waiting.take()
        };
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, SignalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.mark_ready();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.mark_ready();
    }
}
