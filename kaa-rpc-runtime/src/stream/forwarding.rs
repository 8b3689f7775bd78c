//! Forwards items from a producer to the connection. Items are encoded into one buffer until it is large
//! enough for a frame, or until the producer is not ready.
//!
//! Invariants: the producer is not polled while its items cannot be sent; items produced before the end are
//! sent before the end; an item that cannot be encoded is removed completely.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::MAX_TURN;
use crate::codec::{Buffer, EncodeError, Encoder, Wire};
use crate::connection::{Route, SendOutcome};

/// The size of items in bytes from which on a frame is sent.
const MIN_FRAME: usize = 16 * 1024;

/// How long a producer may run before its items are sent and other tasks can run.
const MAX_TIME: Duration = Duration::from_millis(1);
/// The maximum number of items between two readings of the clock.
const MAX_UNTIMED: usize = 64;

/// Why a stream ended before its proper end. `F` is the producer's own failure.
#[derive(Debug)]
pub(crate) enum StreamFailure<F> {
    /// The producer failed.
    Producer(F),
    /// The producer yielded an item that cannot be encoded.
    Unencodable(EncodeError),
    /// The receiver takes no more items.
    Closed,
}

/// Items on their way to the connection.
#[derive(Debug)]
pub(super) struct Forwarding<F> {
    packed: Buffer,
    /// Bytes in `packed`, counted separately because every item needs the number.
    filled: usize,
    /// An item that did not fit into the frame.
    next: Buffer,
    /// The number of bytes from which on the frame is sent.
    threshold: usize,
    /// The maximum number of bytes in a frame.
    max_payload: usize,
    /// How the producer ended. It is returned when all items are sent.
    end: Option<Result<(), StreamFailure<F>>>,
}

impl<F> Forwarding<F> {
    pub(super) fn new() -> Self {
        Self {
            packed: Buffer::new(),
            filled: 0,
            next: Buffer::new(),
            threshold: 0,
            max_payload: 0,
            end: None,
        }
    }

    /// Sends the items that `produce` yields. Returns how the producer ended.
    #[inline]
    pub(super) fn poll<W: Wire>(
        &mut self,
        context: &mut Context<'_>,
        route: &Route,
        mut produce: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<W::Value, F>>>,
    ) -> Poll<Result<(), StreamFailure<F>>> {
        let mut sent = 0;
        let start = Instant::now();
        let (mut count, mut next_timed) = (0_usize, 1);
        loop {
            while self.filled >= self.threshold || !self.next.is_empty() || self.end.is_some() {
                if self.packed.is_empty()
                    && self.next.is_empty()
                    && let Some(end) = self.end.take()
                {
                    return Poll::Ready(end);
                }
                // Checked after sending, because one item may exceed the limit of a turn.
                if sent > MAX_TURN {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                sent += self.filled;
                match self.send(context, route) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(closed)) => return Poll::Ready(Err(closed)),
                    Poll::Ready(Ok(())) if self.next.is_empty() => {}
                    Poll::Ready(Ok(())) => {
                        std::mem::swap(&mut self.packed, &mut self.next);
                        self.filled = self.packed.len();
                    }
                }
            }
            match produce(context) {
                Poll::Ready(Some(Ok(item))) => {
                    self.pack::<W>(&item);
                    count += 1;
                    if count == next_timed {
                        next_timed += count.min(MAX_UNTIMED);
                        if start.elapsed() > MAX_TIME {
                            context.waker().wake_by_ref();
                            return self.pause(context, route);
                        }
                    }
                }
                Poll::Ready(Some(Err(failure))) => self.end = Some(Err(StreamFailure::Producer(failure))),
                Poll::Ready(None) => self.end = Some(Ok(())),
                Poll::Pending => return self.pause(context, route),
            }
        }
    }

    /// Sends the packed items before a wait. Ready if the receiver takes no more items.
    fn pause(&mut self, context: &Context<'_>, route: &Route) -> Poll<Result<(), StreamFailure<F>>> {
        if !self.packed.is_empty()
            && let Poll::Ready(Err(closed)) = self.send(context, route)
        {
            return Poll::Ready(Err(closed));
        }
        if route.is_closed(context.waker()) { Poll::Ready(Err(StreamFailure::Closed)) } else { Poll::Pending }
    }

    /// Sends the packed items.
    fn send(&mut self, context: &Context<'_>, route: &Route) -> Poll<Result<(), StreamFailure<F>>> {
        match route.send(&mut self.packed, context.waker()) {
            SendOutcome::Blocked => Poll::Pending,
            SendOutcome::Closed => Poll::Ready(Err(StreamFailure::Closed)),
            SendOutcome::Sent { credit, max_payload } => {
                self.filled = 0;
                self.max_payload = max_payload;
                self.threshold = MIN_FRAME.min(credit).min(max_payload);
                Poll::Ready(Ok(()))
            }
        }
    }

    #[inline]
    fn pack<W: Wire>(&mut self, item: &W::Value) {
        let before = self.packed.position();
        let mut encoder = Encoder::new(&mut self.packed, self.max_payload);
        let encoded = encoder.structure(|encoder| W::encode(item, encoder));
        let filled = self.filled + encoder.written();
        match encoded {
            Ok(()) if filled <= self.max_payload => self.filled = filled,
            Ok(()) => self.next = self.packed.split_off(before),
            Err(error) => {
                self.packed.truncate(before);
                self.end = Some(Err(StreamFailure::Unencodable(error)));
            }
        }
    }
}
