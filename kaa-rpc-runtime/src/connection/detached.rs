//! Handlers of `#[detached]` methods: they outlive their callers, never the server or client that runs them.
//!
//! Invariant: every one of them is counted from its spawning to its end, whatever becomes of its connection.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The detached handlers of one server or client. A handle: clones mean the same handlers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Detached {
    handlers: TaskTracker,
    cut: CancellationToken,
}

impl Detached {
    /// Runs a handler, and counts it.
    pub(super) fn spawn(&self, handler: impl Future<Output = ()> + Send + 'static) {
        self.handlers.spawn(handler);
    }

    /// Runs one on a thread that may block, and counts it.
    pub(super) fn spawn_blocking(&self, handler: impl FnOnce() + Send + 'static) {
        self.handlers.spawn_blocking(handler);
    }

    /// How many are at work, with a connection or without.
    pub(crate) fn count(&self) -> usize {
        self.handlers.len()
    }

    /// Waits until all have ended, if no more are begun.
    pub(crate) async fn ended(&self) {
        self.handlers.close();
        self.handlers.wait().await;
    }

    /// Drops them all at their next pause.
    pub(crate) fn cut(&self) {
        self.cut.cancel();
    }

    /// Resolves when they are dropped.
    pub(super) async fn are_cut(&self) {
        self.cut.cancelled().await;
    }
}
