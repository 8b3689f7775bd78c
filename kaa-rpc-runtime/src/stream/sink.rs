//! The handler's end of a result stream.
//!
//! Invariants: the handler's future and then its stream are polled where [`StreamSink::run`] is awaited, so the stream
//! may borrow what the handler borrowed; the call's reply comes behind all items, and says how the stream ended; a stream
//! that watches for its caller is not dropped before it has had time to react.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use futures_core::Stream;

use super::forwarding::{Forwarded, Forwarding};
use crate::codec::{EncodeError, Wire};
use crate::connection::{InboundState, Route};
use crate::error::Fault;

/// Items that nobody takes, made before others get their turn.
const ITEMS_AT_ONCE: usize = 64;

/// Where the items of a handler's stream go. `W` says how one is written; `F` is how the handler fails: with a
/// [`Fault`], or with the [`Failure`](crate::Failure) of a method that declares an error.
pub struct StreamSink<W, F = Fault> {
    call: Arc<InboundState>,
    types: PhantomData<fn() -> (W, F)>,
}

/// A stream that is over: what [`StreamSink::run`] returns, and nothing else can.
pub struct Streamed<F>(pub(crate) Result<(), StreamFailure<F>>);

/// Why a stream of results did not come to its end.
pub(crate) enum StreamFailure<F> {
    Handler(F),
    Unencodable(EncodeError),
    /// The caller is gone.
    Over,
}

impl<W: Wire, F> StreamSink<W, F> {
    pub(crate) fn new(call: Arc<InboundState>) -> Self {
        call.open_results();
        Self { call, types: PhantomData }
    }

    /// Runs the handler, then sends what its stream yields.
    pub async fn run<S>(self, handler: impl Future<Output = Result<S, F>>) -> Streamed<F>
    where
        S: Stream<Item = Result<W::Value, F>>,
    {
        let stream = match handler.await {
            Ok(stream) => stream,
            Err(failure) => return Streamed(Err(StreamFailure::Handler(failure))),
        };
        tokio::pin!(stream);
        let call = Arc::clone(&self.call);
        let route = Route::Results(self.call);
        let mut forwarding = Forwarding::new();
        let forwarded = std::future::poll_fn(|context| {
            forwarding.poll::<W>(context, &route, |context| stream.as_mut().poll_next(context))
        })
        .await;
        if matches!(forwarded, Forwarded::Over) && call.is_watched() {
            wind_down(stream).await;
        }
        Streamed(match forwarded {
            Forwarded::Finished => Ok(()),
            Forwarded::Over => Err(StreamFailure::Over),
            Forwarded::Failed(failure) => Err(StreamFailure::Handler(failure)),
            Forwarded::Unencodable(error) => Err(StreamFailure::Unencodable(error)),
        })
    }
}

/// Lets a stream whose items nobody takes any more come to its own end. Whoever awaits this gives it so much time and no
/// more.
async fn wind_down<T, F>(mut stream: Pin<&mut impl Stream<Item = Result<T, F>>>) {
    std::future::poll_fn(|context| {
        for _ in 0..ITEMS_AT_ONCE {
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
