//! A watch over something that must make progress within a time.
//!
//! Invariant: each watch looks at one kind of progress only, so that a peer cannot buy time for a frame that it leaves
//! unfinished by reading, nor for output that it does not read by sending.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// A timer that runs while something is half done, and begins anew with each progress.
#[derive(Debug, Default)]
pub(super) struct Watch {
    running: Option<(Pin<Box<Sleep>>, u64)>,
}

impl Watch {
    /// Ready when `half_done` has been the case for `limit` with no change of `progress`.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        half_done: bool,
        progress: u64,
        limit: Duration,
    ) -> Poll<()> {
        if !half_done {
            self.running = None;
            return Poll::Pending;
        }
        let (timer, seen) =
            self.running.get_or_insert_with(|| (Box::pin(tokio::time::sleep(limit)), progress));
        if *seen != progress {
            *seen = progress;
            // A limit too far to be written as an instant is never reached.
            if let Some(end) = Instant::now().checked_add(limit) {
                timer.as_mut().reset(end);
            }
        }
        timer.as_mut().poll(context)
    }
}
