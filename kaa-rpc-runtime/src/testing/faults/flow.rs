//! One direction of one faulty connection: the bytes in transit, and when more may pass.
//!
//! Invariants: bytes arrive in the order in which they were sent. Whatever waits for a point in time has a
//! timer that wakes it.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep};

use super::settings::Settings;

/// With a delay, no more bytes are accepted while this many are in transit.
const MAX_IN_TRANSIT: usize = 1024 * 1024;

/// The bytes in transit in one direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    in_transit: VecDeque<(Bytes, Instant)>,
    count: usize,
    /// When the rate allows more bytes.
    free_at: Option<Instant>,
    rate_timer: Timer,
    arrival_timer: Timer,
}

/// Wakes the last task that polled it, at the time of that poll.
#[derive(Debug, Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    fn poll_until(&mut self, context: &mut Context<'_>, due: Instant) -> Poll<()> {
        if due <= Instant::now() {
            return Poll::Ready(());
        }
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if sleep.deadline() != due {
            sleep.as_mut().reset(due);
        }
        sleep.as_mut().poll(context)
    }
}

impl Flow {
    pub(super) fn is_empty(&self) -> bool {
        self.in_transit.is_empty()
    }

    /// Whether no more bytes are accepted until some have arrived.
    pub(super) fn is_full(&self) -> bool {
        self.count >= MAX_IN_TRANSIT
    }

    /// Waits until the rate allows more bytes.
    pub(super) fn poll_free(&mut self, context: &mut Context<'_>, settings: &Settings) -> Poll<()> {
        let Some(free_at) = self.free_at.filter(|_| settings.rate.is_some()) else { return Poll::Ready(()) };
        self.rate_timer.poll_until(context, free_at)
    }

    /// Lets the next bytes wait for as long as these take at the current rate.
    pub(super) fn take_time(&mut self, count: usize, settings: &Settings) {
        self.free_at = settings.rate.map(|rate| {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            let nanoseconds = count.saturating_mul(1_000_000_000) / rate;
            Instant::now() + Duration::from_nanos(nanoseconds)
        });
    }

    /// Puts bytes in transit. No bytes mean the end of the stream, which arrives after the same delay.
    pub(super) fn send(&mut self, bytes: Bytes, delay: Duration) {
        self.count += bytes.len();
        let due = Instant::now() + delay;
        // If the delay has become shorter, bytes must not overtake earlier ones.
        let due = self.in_transit.back().map_or(due, |(_, last)| due.max(*last));
        self.in_transit.push_back((bytes, due));
    }

    /// The first bytes in transit, once they are due; `None` if there are none.
    pub(super) fn poll_front(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some((bytes, due)) = self.in_transit.front() else { return Poll::Ready(None) };
        let (bytes, due) = (bytes.clone(), *due);
        self.arrival_timer.poll_until(context, due).map(|()| Some(bytes))
    }

    /// Removes `count` of the first bytes, which have arrived.
    pub(super) fn advance(&mut self, count: usize) {
        let Some((bytes, _)) = self.in_transit.front_mut() else { return };
        self.count = self.count.saturating_sub(count);
        if count >= bytes.len() {
            self.in_transit.pop_front();
        } else {
            drop(bytes.split_to(count));
        }
    }
}
