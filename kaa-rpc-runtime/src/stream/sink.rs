//! The handler's end of a result stream.
//!
//! Invariants: awaiting [`StreamSink::run`] polls the handler's future and then its stream, so the stream may
//! borrow what the handler borrowed; the call's reply comes after all items and reports how the stream ended;
//! a stream whose handler has asked for cancellation gets time to react before it is dropped.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use futures_core::Stream;

use super::forwarding::{Forwarding, StreamFailure};
use crate::codec::Wire;
use crate::connection::{InboundState, Route};
use crate::error::Fault;

/// How many discarded items a cancelled stream yields before other tasks can run.
const MAX_DISCARDED: usize = 64;

/// The destination of a handler's stream. `W` is how an item is encoded. `F` is how the handler fails: with a
/// [`Fault`], or with the [`Failure`](crate::Failure) of a method that declares an error.
pub struct StreamSink<W, F = Fault> {
    call: Arc<InboundState>,
    types: PhantomData<fn() -> (W, F)>,
}

/// A stream that has ended. Only [`StreamSink::run`] creates it.
pub struct Streamed<F>(pub(crate) Result<(), StreamFailure<F>>);

impl<W: Wire, F> StreamSink<W, F> {
    pub(crate) fn new(call: Arc<InboundState>) -> Self {
        call.open_results();
        Self { call, types: PhantomData }
    }

    /// Runs the handler, then sends the items of its stream.
    pub async fn run<S>(self, handler: impl Future<Output = Result<S, F>>) -> Streamed<F>
    where
        S: Stream<Item = Result<W::Value, F>>,
    {
        let stream = match handler.await {
            Ok(stream) => stream,
            Err(failure) => return Streamed(Err(StreamFailure::Producer(failure))),
        };
        tokio::pin!(stream);
        let call = Arc::clone(&self.call);
        let route = Route::Results(self.call);
        let mut forwarding = Forwarding::new();
        let end = std::future::poll_fn(|context| {
            forwarding.poll::<W>(context, &route, |context| stream.as_mut().poll_next(context))
        })
        .await;
        if matches!(end, Err(StreamFailure::Closed)) && call.is_watched() {
            drain(stream).await;
        }
        Streamed(end)
    }
}

/// Polls a stream to its end and discards its items. The cancel grace limits the time that this may take.
async fn drain<T, F>(mut stream: Pin<&mut impl Stream<Item = Result<T, F>>>) {
    std::future::poll_fn(|context| {
        for _ in 0..MAX_DISCARDED {
            let Some(Ok(_)) = ready!(stream.as_mut().poll_next(context)) else { return Poll::Ready(()) };
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<W, F> fmt::Debug for StreamSink<W, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StreamSink").field("call", &self.call.id.0).finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for Streamed<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Streamed").field("finished", &self.0.is_ok()).finish()
    }
}
