//! A stream that comes from the peer: what a method returns item by item, or a handler's stream parameter.
//!
//! Invariants: items are decoded when they are taken, from the frames they came in; after an error or the end nothing
//! comes; a stream that is dropped before its end is stopped at its producer.

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

use crate::call::{Method, ResultSource, StreamMethod};
use crate::codec::{DecodeError, DecodeLimits, Decoder, Wire};
use crate::connection::{Arguments, InboundState, LinkConfiguration};
use crate::error::{CallError, Outcome};
use crate::peer::Peer;
use crate::protocol::metadata::Metadata;
use crate::protocol::streams::StreamEnd;

use super::TURN;
use super::outgoing::IntoOutgoing;

/// Most items that are decoded ahead of being taken, and most bytes of them: one loop over a few items costs less
/// than as many calls.
const AHEAD: usize = 32;
const AHEAD_BYTES: usize = 1024;

/// What a reader does with an item takes its time, however small the item is: as much as so many bytes, so that no turn
/// is longer than some thousand items.
const READERS_WORK: usize = 64;

type Decode<T> = fn(&mut Bytes, &mut VecDeque<T>, DecodeLimits) -> Result<(), DecodeError>;

/// A stream of items from the peer.
///
/// As the result of a proxy's method it is a call: made when it is first polled, given up when it is dropped. As a
/// parameter of a handler it is what the caller sends along; dropped, it tells the caller to send no more.
///
/// It is a `futures` [`Stream`] of `Result<T, CallError<E>>`, and its last item may be an error: why it broke off, or how
/// the handler failed. `None` is the proper end, or what comes behind an error. A slow reader slows its producer down,
/// and nothing else on the connection.
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
    /// Items that have come and were not taken, each with its length in front.
    items: Bytes,
    /// Bytes that were taken since it last had to wait, and [`READERS_WORK`] for each item.
    at_once: usize,
    decode: Decode<T>,
    limits: DecodeLimits,
    /// Where the connection's tasks run.
    runtime: Handle,
    /// Gone after the end.
    source: Option<Box<dyn Source<E>>>,
}

/// Where items come from.
pub(crate) trait Source<E>: Send + Sync {
    /// Items, or the end of them. Whoever asks has taken all that came before.
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Batch<E>>;

    /// What it gave last could not be read: nothing more is asked for.
    fn fail(&mut self, error: &CallError<E>);

    /// See [`Incoming::timeout`].
    fn set_timeout(&mut self, timeout: Option<Duration>);

    /// See [`Incoming::metadata`].
    fn set_metadata(&mut self, metadata: Metadata);
}

/// What a source has.
pub(crate) enum Batch<E> {
    Items(Bytes),
    End,
    Failed(CallError<E>),
}

impl<T, E> Incoming<T, E> {
    /// The call of a method that returns a stream, not made yet.
    pub fn call<M>(peer: &Peer, method: M) -> Self
    where
        M: Method,
        M::Returns: Wire<Value = T>,
        M::Throws: Wire<Value = E>,
    {
        Self::new::<M::Returns>(Box::new(ResultSource::new(peer, method)), &peer.link().configuration)
    }

    /// The same for a method with a stream parameter.
    pub fn call_with_stream<M>(
        peer: &Peer,
        method: M,
        outgoing: impl IntoOutgoing<<M::Item as Wire>::Value>,
    ) -> Self
    where
        M: StreamMethod,
        M::Returns: Wire<Value = T>,
        M::Throws: Wire<Value = E>,
    {
        let source = ResultSource::with_stream(peer, method, outgoing.into_outgoing());
        Self::new::<M::Returns>(Box::new(source), &peer.link().configuration)
    }

    fn new<W: Wire<Value = T>>(source: Box<dyn Source<E>>, configuration: &LinkConfiguration) -> Self {
        Self {
            decoded: VecDeque::new(),
            items: Bytes::new(),
            at_once: 0,
            decode: decode_some::<W>,
            limits: configuration.decode,
            runtime: configuration.runtime.clone(),
            source: Some(source),
        }
    }

    /// Ends the call with [`CallError::DeadlineExceeded`] after this time, counted from the first poll, however many
    /// items have come by then. The peer is told how long it has. The stream parameter of a handler ends with its call,
    /// and has no time of its own.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        if let Some(source) = &mut self.source {
            source.set_timeout(Some(timeout));
        }
        self
    }

    /// Lets the call take as long as it takes, whatever the method's `#[timeout]`.
    pub fn no_timeout(mut self) -> Self {
        if let Some(source) = &mut self.source {
            source.set_timeout(None);
        }
        self
    }

    /// Sends this along beside the arguments of the call. The stream parameter of a handler has none of its own.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        if let Some(source) = &mut self.source {
            source.set_metadata(metadata);
        }
        self
    }

    /// Where the connection's tasks run.
    pub(crate) fn runtime(&self) -> Handle {
        self.runtime.clone()
    }

    /// The next item; `None` after the end.
    ///
    /// # Errors
    /// Why there are no more items before their proper end.
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
        if self.at_once > TURN {
            self.at_once = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        while self.items.is_empty() {
            let Some(source) = &mut self.source else { return Poll::Ready(None) };
            match source.poll_batch(context) {
                Poll::Pending => {
                    self.at_once = 0;
                    return Poll::Pending;
                }
                Poll::Ready(Batch::Items(items)) => self.items = items,
                Poll::Ready(Batch::End) => {
                    self.source = None;
                    return Poll::Ready(None);
                }
                Poll::Ready(Batch::Failed(error)) => {
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
        self.at_once += before - self.items.len() + self.decoded.len() * READERS_WORK;
        Poll::Ready(self.decoded.pop_front().map(Ok))
    }
}

/// Decodes one item at least, if there is one. An error behind others is left for the next time, when the item has a
/// message's budget to itself.
fn decode_some<W: Wire>(
    items: &mut Bytes,
    decoded: &mut VecDeque<W::Value>,
    limits: DecodeLimits,
) -> Result<(), DecodeError> {
    let total = items.len();
    let mut left = total;
    let mut decoder = Decoder::new(items, limits);
    while left > 0 && decoded.len() < AHEAD && total - left < AHEAD_BYTES {
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
        Self::new::<W>(Box::new(ArgumentSource { call }), &link.configuration)
    }
}

// Nothing in it is pinned: what has to be has a box of its own.
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

/// The stream parameter of a call of the peer.
struct ArgumentSource {
    call: Arc<InboundState>,
}

impl Source<Infallible> for ArgumentSource {
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Batch<Infallible>> {
        Poll::Ready(match self.call.poll_arguments(context.waker()) {
            Arguments::Items(items) => Batch::Items(items),
            Arguments::Nothing => return Poll::Pending,
            Arguments::End(StreamEnd::Finished) => Batch::End,
            Arguments::End(StreamEnd::Broken(message)) => {
                Batch::Failed(CallError::Broken(String::from_utf8_lossy(&message).into_owned()))
            }
            Arguments::None => {
                Batch::Failed(CallError::Broken("the call brings no stream, or is over".to_owned()))
            }
            Arguments::Lost(reason) => {
                Batch::Failed(CallError::Disconnected { outcome: Outcome::Unknown, reason })
            }
        })
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
