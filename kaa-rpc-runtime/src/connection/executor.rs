//! Where handlers run: in the driver, as tasks, on blocking threads, or detached from their connection.
//!
//! Invariants: a detached handler is counted from its start to its end, even if its connection is gone; while
//! a blocking handler is polled, tokio does not treat its thread as a worker, so code that the handler calls
//! may use `block_on` itself.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Where the handlers of a service run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Placement {
    /// The driver polls the handler once. A handler that is not ready then becomes a task.
    #[default]
    InPlace,
    /// As a task.
    Task,
    /// On a thread that may block.
    Blocking,
}

/// The handlers of `#[detached]` methods of one server or client. They may outlive their callers and
/// connections, but not the server or client. Clones share the handlers.
#[derive(Debug, Clone, Default)]
pub(crate) struct DetachedHandlers {
    handlers: TaskTracker,
    aborted: CancellationToken,
}

impl DetachedHandlers {
    pub(super) fn spawn(&self, handler: impl Future<Output = ()> + Send + 'static) {
        self.handlers.spawn(handler);
    }

    pub(super) fn spawn_blocking(&self, handler: impl FnOnce() + Send + 'static) {
        self.handlers.spawn_blocking(handler);
    }

    /// The handlers that run now.
    pub(crate) fn count(&self) -> usize {
        self.handlers.len()
    }

    /// Waits until all handlers have ended. The caller ensures that no more are started.
    pub(crate) async fn ended(&self) {
        self.handlers.close();
        self.handlers.wait().await;
    }

    /// Drops all handlers the next time they yield.
    pub(crate) fn abort(&self) {
        self.aborted.cancel();
    }

    pub(super) async fn aborted(&self) {
        self.aborted.cancelled().await;
    }
}

/// Runs a future to completion on this thread, in the context of a runtime that other threads drive.
pub(super) fn block_on<F: Future>(runtime: &Handle, future: F) -> F::Output {
    let _entered = runtime.enter();
    let parked = Arc::new(Parked { thread: std::thread::current(), is_woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&parked));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        // The handler's own code may park this thread as well and consume the unpark token, so the flag
        // decides.
        while !parked.is_woken.swap(false, Ordering::AcqRel) {
            std::thread::park();
        }
    }
}

/// A thread that waits for a future.
struct Parked {
    thread: Thread,
    is_woken: AtomicBool,
}

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
