//! Streams from the peer: the results of a call, or a handler's stream parameter.
//!
//! Invariants: items are decoded when they are read, from the frames that they arrived in; nothing follows an
//! error or the end; a stream that is dropped before its end stops its producer.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_core::Stream;
use tokio::runtime::Handle;

use super::MAX_TURN;
use crate::codec::{DecodeError, DecodeLimits, Decoder, Wire};
use crate::connection::{InboundState, Received};
use crate::error::CallError;
use crate::protocol::metadata::Metadata;

/// How many items are decoded in advance. One loop over a few items costs less than as many function calls.
const MAX_AHEAD: usize = 32;
/// The size in bytes of the items that are decoded in advance.
const MAX_AHEAD_BYTES: usize = 1024;

/// The reader's work on one item, in bytes of [`MAX_TURN`]. It limits a turn to about a thousand items,
/// however small.
const WORK_PER_ITEM: usize = 64;

type Decode<T> = fn(&mut Bytes, &mut VecDeque<T>, DecodeLimits) -> Result<(), DecodeError>;

/// A stream of items from the peer.
///
/// The result of a proxy's method is a call: it is made when the stream is first polled, and cancelled when
/// the stream is dropped. The parameter of a handler contains the items that the caller sends. Dropping it
/// stops the caller's stream.
///
/// This is a `futures` [`Stream`] of `Result<T, CallError<E>>`. Its last item may be an error: why the stream
/// broke off, or how the handler failed. `None` is the proper end, or follows an error. A slow reader slows
/// down its producer, but nothing else on the connection.
///
/// ```no_run
/// # async fn sum(mut numbers: kaa_rpc_runtime::Incoming<u64>) -> Result<u64, kaa_rpc_runtime::CallError> {
/// let mut sum = 0;
/// while let Some(number) = numbers.next().await {
///     sum += number?;
/// }
/// # Ok(sum)
/// # }
/// ```
#[must_use = "a stream's call is made when it is polled"]
pub struct Incoming<T, E = Infallible> {
    decoded: VecDeque<T>,
    /// Received items that are not decoded yet, each after its length.
    items: Bytes,
    /// Bytes read since the last wait, plus [`WORK_PER_ITEM`] for each item.
    turn: usize,
    decode: Decode<T>,
    limits: DecodeLimits,
    /// The runtime of the connection's tasks.
    runtime: Handle,
    /// `None` after the end.
    source: Option<Box<dyn Source<E>>>,
}

/// The source of a stream's items.
pub(crate) trait Source<E>: Send + Sync {
    /// Polls for items, or the end. The caller has processed all items that it received before.
    fn poll_items(&mut self, context: &mut Context<'_>) -> Poll<Received<Result<(), CallError<E>>>>;

    /// The last items could not be decoded. The source is dropped next.
    fn fail(&mut self, error: &CallError<E>);

    /// See [`Incoming::timeout`].
    fn set_timeout(&mut self, timeout: Option<Duration>);

    /// See [`Incoming::metadata`].
    fn set_metadata(&mut self, metadata: Metadata);
}

impl<T, E> Incoming<T, E> {
    pub(crate) fn new<W: Wire<Value = T>>(
        source: Box<dyn Source<E>>,
        runtime: Handle,
        limits: DecodeLimits,
    ) -> Self {
        Self {
            decoded: VecDeque::new(),
            items: Bytes::new(),
            turn: 0,
            decode: decode_some::<W>,
            limits,
            runtime,
            source: Some(source),
        }
    }

    /// Ends the call with [`CallError::DeadlineExceeded`] after this time, counted from the first poll, even
    /// if items have arrived. The peer receives the remaining time. This has no effect on the stream
    /// parameter of a handler, which ends with its call.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if let Some(source) = &mut self.source {
            source.set_timeout(Some(timeout));
        }
        self
    }

    /// Lets the call take any time, even if the method has a `#[timeout]`.
    pub fn no_timeout(mut self) -> Self {
        if let Some(source) = &mut self.source {
            source.set_timeout(None);
        }
        self
    }

    /// Sends metadata with the call. This has no effect on the stream parameter of a handler.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        if let Some(source) = &mut self.source {
            source.set_metadata(metadata);
        }
        self
    }

    /// The runtime of the connection's tasks.
    pub(crate) fn runtime(&self) -> Handle {
        self.runtime.clone()
    }

    /// The next item; `None` after the end.
    ///
    /// # Errors
    /// Why the stream ended before its proper end.
    pub async fn next(&mut self) -> Option<Result<T, CallError<E>>> {
        std::future::poll_fn(|context| self.poll_item(context)).await
    }

    #[inline]
    fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, CallError<E>>>> {
        match self.decoded.pop_front() {
            Some(item) => Poll::Ready(Some(Ok(item))),
            None => self.poll_more(context),
        }
    }

    #[inline(never)]
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, CallError<E>>>> {
        if self.turn > MAX_TURN {
            self.turn = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        while self.items.is_empty() {
            let Some(source) = &mut self.source else { return Poll::Ready(None) };
            match source.poll_items(context) {
                Poll::Pending => {
                    self.turn = 0;
                    return Poll::Pending;
                }
                Poll::Ready(Received::Items(items)) => self.items = items,
                Poll::Ready(Received::End(Ok(()))) => {
                    self.source = None;
                    return Poll::Ready(None);
                }
                Poll::Ready(Received::End(Err(error))) => {
                    self.source = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        let before = self.items.len();
        if let Err(error) = (self.decode)(&mut self.items, &mut self.decoded, self.limits) {
            let error = CallError::BadItem(error);
            self.items = Bytes::new();
            if let Some(mut source) = self.source.take() {
                source.fail(&error);
            }
            return Poll::Ready(Some(Err(error)));
        }
        self.turn += before - self.items.len() + self.decoded.len() * WORK_PER_ITEM;
        Poll::Ready(self.decoded.pop_front().map(Ok))
    }
}

/// Decodes at least one item, if there is one. An item that fails after others is decoded again at the next
/// call, where the message's memory limit applies to it alone.
fn decode_some<W: Wire>(
    items: &mut Bytes,
    decoded: &mut VecDeque<W::Value>,
    limits: DecodeLimits,
) -> Result<(), DecodeError> {
    let total = items.len();
    let mut left = total;
    let mut decoder = Decoder::new(items, limits);
    while left > 0 && decoded.len() < MAX_AHEAD && total - left < MAX_AHEAD_BYTES {
        match decoder.structure("item", |decoder| W::decode(decoder)) {
            Ok(item) => decoded.push_back(item),
            Err(error) if decoded.is_empty() => return Err(error),
            Err(_) => break,
        }
        left = decoder.remaining();
    }
    items.advance(total - left);
    Ok(())
}

impl<T> Incoming<T> {
    /// A handler's stream parameter.
    pub(crate) fn of_call<W: Wire<Value = T>>(call: Arc<InboundState>) -> Self {
        let link = Arc::clone(&call.link);
        Self::new::<W>(Box::new(ArgumentSource { call }), link.runtime.clone(), link.settings.decode)
    }
}

// No field is pinned.
impl<T, E> Unpin for Incoming<T, E> {}

impl<T, E> Stream for Incoming<T, E> {
    type Item = Result<T, CallError<E>>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_item(context)
    }
}

impl<T, E> fmt::Debug for Incoming<T, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Incoming")
            .field("decoded_items", &self.decoded.len())
            .field("waiting_bytes", &self.items.len())
            .field("ended", &self.source.is_none())
            .finish_non_exhaustive()
    }
}

/// The stream parameter of an inbound call.
struct ArgumentSource {
    call: Arc<InboundState>,
}

impl Source<Infallible> for ArgumentSource {
    fn poll_items(&mut self, context: &mut Context<'_>) -> Poll<Received<Result<(), CallError>>> {
        self.call.poll_arguments(context.waker())
    }

    fn fail(&mut self, _: &CallError) {}

    fn set_timeout(&mut self, _: Option<Duration>) {}

    fn set_metadata(&mut self, _: Metadata) {}
}

impl Drop for ArgumentSource {
    fn drop(&mut self) {
        self.call.stop_arguments();
    }
}
