//! Polls a handler on a thread that may block.
//!
//! Invariant: while the handler is polled its thread is not taken for one that drives tasks, so what it calls may wait for
//! futures of its own (with tokio's `block_on` around it, it might not).

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::runtime::Handle;

/// Runs a future to its end on this thread, within a runtime that others drive.
pub(super) fn run_to_end<F: Future>(runtime: &Handle, future: F) -> F::Output {
    let _entered = runtime.enter();
    let parked = Arc::new(Parked { thread: std::thread::current(), is_woken: AtomicBool::new(false) });
    let waker = Waker::from(Arc::clone(&parked));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        // What the handler calls may have parked as well, and taken the wake that was meant for here.
        while !parked.is_woken.swap(false, Ordering::AcqRel) {
            std::thread::park();
        }
    }
}

/// A thread that waits.
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
