//! Waits for futures, conditions and events. Every wait has a limit and a name.

use std::fmt::Debug;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use kaa_rpc_runtime::{CallError, CloseReason, Events, Outcome, Refused, ServerEvent};

/// No test waits longer than this for anything: far more than a busy machine needs.
pub const LIMIT: Duration = Duration::from_secs(120);

/// The future's output.
///
/// # Panics
/// If it takes longer than [`LIMIT`], with the name of what it waits for.
pub async fn within<F: IntoFuture>(awaited: &str, future: F) -> F::Output {
    let result = tokio::time::timeout(LIMIT, future.into_future()).await;
    result.unwrap_or_else(|_| panic!("waited {LIMIT:?} for {awaited}"))
}

/// Calls `probe` until its value is as expected, and lets other tasks run in between.
///
/// # Panics
/// If it takes longer than [`LIMIT`], with the name of what it waits for and the last value.
pub async fn eventually<T: Debug>(
    awaited: &str,
    mut probe: impl FnMut() -> T,
    is_expected: impl Fn(&T) -> bool,
) {
    let start = Instant::now();
    loop {
        let seen = probe();
        if is_expected(&seen) {
            return;
        }
        assert!(start.elapsed() < LIMIT, "waited {LIMIT:?} for {awaited}; the last value was {seen:?}");
        tokio::task::yield_now().await;
    }
}

/// Polls the future once.
pub async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await
}

/// Polls the future for the first time.
///
/// # Panics
/// If it is ready.
pub async fn start<F: Future<Output: Debug> + Unpin>(future: &mut F) {
    if let Poll::Ready(output) = poll_once(future).await {
        panic!("expected a future that waits, but its output is {output:?}");
    }
}

/// The outputs of all futures, which are first polled in this order.
pub async fn all<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    let awaited = format!("all of {} futures", futures.len());
    let ready = poll_fn(move |context| {
        for (future, output) in futures.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(ready) = Pin::new(future).poll(context)
            {
                *output = Some(ready);
            }
        }
        if outputs.iter().any(Option::is_none) {
            return Poll::Pending;
        }
        Poll::Ready(outputs.iter_mut().filter_map(Option::take).collect())
    });
    within(&awaited, ready).await
}

/// The outcome of a call that ended with its connection.
///
/// # Panics
/// If it ended in another way.
pub fn disconnected<T: Debug>(result: Result<T, CallError>) -> Outcome {
    match result {
        Err(CallError::Disconnected { outcome, .. }) => outcome,
        other => panic!("expected a call that is disconnected, but got {other:?}"),
    }
}

/// Why the next connection of the server ends.
pub async fn close_reason(events: &mut Events<ServerEvent>) -> CloseReason {
    loop {
        if let ServerEvent::Disconnected { reason, .. } =
            within("a connection of the server to end", events.next()).await.unwrap()
        {
            return reason;
        }
    }
}

/// The next connection that the server refuses.
pub async fn refusal(events: &mut Events<ServerEvent>) -> Refused {
    loop {
        if let ServerEvent::Refused(refused) =
            within("the server to refuse a connection", events.next()).await.unwrap()
        {
            return refused;
        }
    }
}
