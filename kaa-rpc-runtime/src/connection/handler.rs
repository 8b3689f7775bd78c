//! Runs the handlers of inbound calls.
//!
//! Invariants: a panic of a handler ends its own call only; every task of a handler ends with its connection,
//! except for handlers of `#[detached]` methods, which end with their server or client.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;

use super::executor::{Placement, block_on};
use super::inbound::{HandlerFuture, InboundState};
use super::state::RunningHandler;
use crate::resources::HandlerPermit;

/// Starts a handler. If it runs in place it is polled once, and becomes a task if it is not ready then.
///
/// The waker of this first poll does nothing, because the task polls again before it waits.
pub(super) fn run(
    state: &Arc<InboundState>,
    placement: Placement,
    start: impl FnOnce() -> Option<HandlerFuture>,
) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut future = start()?;
        if placement != Placement::InPlace {
            return Some(future);
        }
        let _scope = state.enter();
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(()) => None,
            Poll::Pending => Some(future),
        }
    }));
    match result {
        Ok(None) => state.handler_ended(false),
        Ok(Some(future)) => spawn(future, state, placement),
        Err(_payload) => state.handler_ended(true),
    }
}

fn spawn(future: HandlerFuture, state: &Arc<InboundState>, placement: Placement) {
    if !state.register_handler() {
        state.abort();
    }
    let permit = state.link.settings.resources.start_handler();
    let end = EndOnDrop(Arc::clone(state));
    let task = finish(future, Arc::clone(state), (permit, end));
    let detached = &state.link.detached;
    match (placement, state.detached) {
        (Placement::Blocking, is_detached) => {
            let runtime = Handle::current();
            let work = move || block_on(&runtime, task);
            if is_detached {
                detached.spawn_blocking(work);
            } else {
                tokio::task::spawn_blocking(work);
            }
        }
        (_, true) => detached.spawn(task),
        (_, false) => {
            tokio::spawn(task);
        }
    }
}

/// The task of a handler that did not finish at its first poll.
async fn finish(mut future: HandlerFuture, state: Arc<InboundState>, _guards: (HandlerPermit, EndOnDrop)) {
    let work = std::future::poll_fn(|context| {
        let _scope = state.enter();
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => Poll::Ready(false),
            Err(_payload) => Poll::Ready(true),
        }
    });
    let panicked = tokio::select! {
        biased;
        panicked = work => panicked,
        // A handler that is always ready uses up tokio's budget for the task.
        () = tokio::task::coop::unconstrained(state.abort_signal()) => false,
    };
    // A destructor in the handler's code may panic as well.
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(future)));
    state.handler_ended(panicked || dropped.is_err());
}

/// Answers the call of a task that was dropped with its runtime.
struct EndOnDrop(Arc<InboundState>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.handler_ended(false);
    }
}
