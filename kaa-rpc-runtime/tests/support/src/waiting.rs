//! Waiting for what calls come to, and never for ever.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use kaa_rpc_runtime::CallError;

/// No test waits longer than this for anything.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

/// The future's output; a hang is a failure.
pub(crate) async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(LONGEST, future.into_future()).await.expect("it hangs")
}

/// One poll.
pub(crate) async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await
}

/// Awaits all of them, made in this order.
pub(crate) async fn all<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut outputs: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    within(std::future::poll_fn(move |context| {
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
    }))
    .await
}

/// Whether a call ended with its connection, and whether it was sent.
pub(crate) fn lost<T: std::fmt::Debug>(result: Result<T, CallError>) -> kaa_rpc_runtime::Outcome {
    match result {
        Err(CallError::Disconnected { outcome, .. }) => outcome,
        other => panic!("not disconnected but {other:?}"),
    }
}
