//! The handler's end of a result stream.
//!
//! Invariants: the handler's future and then its stream are polled where [`StreamSink::run`] is awaited, so the stream
//! may borrow what the handler borrowed; the call's reply comes behind all items, and says how the stream ended.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use futures_core::Stream;

use super::forwarding::{Forwarded, Forwarding};
use crate::codec::{EncodeError, Wire};
use crate::connection::{InboundState, Route};
use crate::error::Fault;

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
        let route = Route::Results(self.call);
        let mut forwarding = Forwarding::new();
        let forwarded = std::future::poll_fn(|context| {
            forwarding.poll::<W>(context, &route, |context| stream.as_mut().poll_next(context))
        })
        .await;
        Streamed(match forwarded {
            Forwarded::Finished => Ok(()),
            Forwarded::Over => Err(StreamFailure::Over),
            Forwarded::Failed(failure) => Err(StreamFailure::Handler(failure)),
            Forwarded::Unencodable(error) => Err(StreamFailure::Unencodable(error)),
        })
    }
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
