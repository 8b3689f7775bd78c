//! Adapts any `AsyncRead + AsyncWrite` to the interface of a socket: waiting for readiness, and attempts that
//! do not wait.
//!
//! Each direction is polled with its own waker, which records the readiness and wakes the waiting task. As
//! with tokio's sockets, a direction is ready until an attempt finds that it is not. No byte is buffered
//! here.
//!
//! Invariants: the lock is held during one poll only. A wake between poll and wait is not lost, because the
//! signal records it.

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

/// Any stream, with the interface of a socket.
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
        // A read that is dropped before it completes has read nothing.
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
        // Flushes at once, so that the last bytes do not wait for an explicit flush. The next attempt reports
        // an error.
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

/// One direction: the signal, and the waker that sets it.
struct Direction {
    signal: Arc<Signal>,
    waker: Waker,
}

impl Direction {
    fn new() -> Self {
        let signal = Arc::new(Signal { state: Mutex::new(SignalState { ready: true, waiting: None }) });
        Self { waker: Waker::from(Arc::clone(&signal)), signal }
    }

    /// Polls once. It ignores the task's budget: with an exhausted budget every attempt in the same poll
    /// would fail.
    fn attempt<T>(&self, future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        // Cleared before the poll, so that a wake during the poll is kept.
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
    /// Waits for readiness. It uses the task's budget, so that a peer that is always ready cannot starve
    /// other tasks.
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
