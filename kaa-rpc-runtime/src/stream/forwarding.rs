//! From a producer to the connection: items are encoded into one buffer until it is worth a frame, or nothing more is
//! ready.
//!
//! Invariants: the producer is not polled while its items have nowhere to go; what it made before its end leaves before
//! the end is told; an item that cannot be encoded leaves nothing of itself behind.

use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::TURN;
use crate::codec::{Buffer, EncodeError, Encoder, Wire};
use crate::connection::{Route, Shipment};

/// Bytes of items that are worth a frame.
const PACK: usize = 16 * 1024;

/// How long a producer may be busy before what it has made leaves and others get their turn.
const LONGEST_TURN: Duration = Duration::from_millis(1);
/// Most items between looks at the clock.
const MOST_UNSEEN: usize = 64;

/// How a producer ended. `F` is its own failure.
#[derive(Debug)]
pub(super) enum Forwarded<F> {
    /// It has no more items.
    Finished,
    /// It has failed.
    Failed(F),
    /// It made an item that cannot be encoded.
    Unencodable(EncodeError),
    /// Nobody takes any more.
    Over,
}

/// Items on their way to the connection.
#[derive(Debug)]
pub(super) struct Forwarding<F> {
    packed: Buffer,
    /// Bytes in `packed`, counted here because it is asked for with every item.
    filled: usize,
    /// An item for which there was no room in the frame.
    next: Buffer,
    /// From so many bytes on the frame leaves.
    bound: usize,
    /// The most that a frame holds.
    largest: usize,
    outcome: Option<Forwarded<F>>,
}

impl<F> Forwarding<F> {
    pub(super) fn new() -> Self {
        Self { packed: Buffer::new(), filled: 0, next: Buffer::new(), bound: 0, largest: 0, outcome: None }
    }

    /// Sends what `produce` makes, until it ends or has to wait.
    #[inline]
    pub(super) fn poll<W: Wire>(
        &mut self,
        context: &mut Context<'_>,
        route: &Route,
        mut produce: impl FnMut(&mut Context<'_>) -> Poll<Option<Result<W::Value, F>>>,
    ) -> Poll<Forwarded<F>> {
        let mut sent = 0;
        let began = Instant::now();
        let (mut made, mut next_look) = (0_usize, 1);
        loop {
            while self.filled >= self.bound || !self.next.is_empty() || self.outcome.is_some() {
                if self.packed.is_empty()
                    && self.next.is_empty()
                    && let Some(outcome) = self.outcome.take()
                {
                    return Poll::Ready(outcome);
                }
                // After what has left, not before what is to leave: one item may be larger than a whole turn.
                if sent > TURN {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                sent += self.filled;
                match self.ship(context, route) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Some(over)) => return Poll::Ready(over),
                    Poll::Ready(None) if self.next.is_empty() => {}
                    Poll::Ready(None) => {
                        std::mem::swap(&mut self.packed, &mut self.next);
                        self.filled = self.packed.len();
                    }
                }
            }
            match produce(context) {
                Poll::Ready(Some(Ok(item))) => {
                    self.pack::<W>(&item);
                    made += 1;
                    if made == next_look {
                        next_look += made.min(MOST_UNSEEN);
                        if began.elapsed() > LONGEST_TURN {
                            context.waker().wake_by_ref();
                            return self.pause(context, route);
                        }
                    }
                }
                Poll::Ready(Some(Err(failure))) => self.outcome = Some(Forwarded::Failed(failure)),
                Poll::Ready(None) => self.outcome = Some(Forwarded::Finished),
                Poll::Pending => return self.pause(context, route),
            }
        }
    }

    /// Sends what is packed, before a wait. Ready if nobody takes it, or anything behind it.
    fn pause(&mut self, context: &Context<'_>, route: &Route) -> Poll<Forwarded<F>> {
        if !self.packed.is_empty()
            && let Poll::Ready(Some(over)) = self.ship(context, route)
        {
            return Poll::Ready(over);
        }
        if route.is_over(context.waker()) { Poll::Ready(Forwarded::Over) } else { Poll::Pending }
    }

    /// Sends what is packed. Ready with an outcome if nobody takes it.
    fn ship(&mut self, context: &Context<'_>, route: &Route) -> Poll<Option<Forwarded<F>>> {
        match route.ship(&mut self.packed, context.waker()) {
            Shipment::Wait => Poll::Pending,
            Shipment::Over => Poll::Ready(Some(Forwarded::Over)),
            Shipment::Sent { credit, largest } => {
                self.filled = 0;
                self.largest = largest;
                self.bound = PACK.min(credit).min(largest);
                Poll::Ready(None)
            }
        }
    }

    #[inline]
    fn pack<W: Wire>(&mut self, item: &W::Value) {
        let before = self.packed.position();
        let mut encoder = Encoder::new(&mut self.packed, self.largest);
        let encoded = encoder.structure(|encoder| W::encode(item, encoder));
        let filled = self.filled + encoder.written();
        match encoded {
            Ok(()) if filled <= self.largest => self.filled = filled,
            Ok(()) => self.next = self.packed.split_off(before),
            Err(error) => {
                self.packed.truncate(before);
                self.outcome = Some(Forwarded::Unencodable(error));
            }
        }
    }
}
