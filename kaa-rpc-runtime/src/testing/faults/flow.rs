//! One direction of one faulty connection: what is on its way, and when more may pass.
//!
//! Invariants: bytes arrive in the order in which they left; what waits for a time has a timer that wakes it then.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, Sleep};

use super::Cut;

/// Bytes that a delay keeps on their way before no more are taken.
const MOST_UNDER_WAY: usize = 1024 * 1024;
/// How often in a second a limited rate lets bytes pass.
const PORTIONS: u64 = 20;

/// Which direction, seen from the end that is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Outgoing,
    Incoming,
}

/// What was said of a direction, and how much has passed.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) delay: Duration,
    pub(super) rate: Option<u64>,
    pub(super) chunk: Option<usize>,
    pub(super) cut_after: Option<(u64, Cut)>,
    pub(super) is_stalled: bool,
    pub(super) stall_after: Option<u64>,
    pub(super) passed: u64,
}

impl Settings {
    /// As many bytes of `count` as may pass at a time.
    pub(super) fn portion(&self, count: usize) -> usize {
        let rate = self.rate.map(|rate| count_of((rate / PORTIONS).max(1)));
        count.min(self.chunk.unwrap_or(usize::MAX)).min(rate.unwrap_or(usize::MAX))
    }

    /// As many bytes of `count` as may arrive before a cut or a stall.
    pub(super) fn allowed(&self, count: usize) -> usize {
        let cut = self.cut_after.map(|(bytes, _)| bytes);
        cut.into_iter().chain(self.stall_after).map(count_of).fold(count, usize::min)
    }

    /// The cut, if it is due: once.
    pub(super) fn take_cut(&mut self) -> Option<Cut> {
        self.cut_after.take_if(|(bytes, _)| *bytes == 0).map(|(_, how)| how)
    }

    /// So many bytes have arrived.
    pub(super) fn note_passed(&mut self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.passed = self.passed.saturating_add(count);
        if let Some((bytes, _)) = &mut self.cut_after {
            *bytes = bytes.saturating_sub(count);
        }
        if let Some(bytes) = &mut self.stall_after {
            *bytes = bytes.saturating_sub(count);
        }
        self.is_stalled |= self.stall_after.take_if(|bytes| *bytes == 0).is_some();
    }
}

fn count_of(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// What is on its way in one direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    under_way: VecDeque<(Bytes, Instant)>,
    count: usize,
    /// When the rate lets more pass.
    free_at: Option<Instant>,
    freedom: Timer,
    arrival: Timer,
}

/// Wakes whoever polled it last, at the time that was last asked for.
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
        self.under_way.is_empty()
    }

    /// Whether no more is taken before something has arrived.
    pub(super) fn is_full(&self) -> bool {
        self.count >= MOST_UNDER_WAY
    }

    /// Waits until the rate lets more pass.
    pub(super) fn poll_free(&mut self, context: &mut Context<'_>, settings: &Settings) -> Poll<()> {
        let Some(free_at) = self.free_at.filter(|_| settings.rate.is_some()) else { return Poll::Ready(()) };
        self.freedom.poll_until(context, free_at)
    }

    /// So many bytes pass now: the next ones have to wait for their time.
    pub(super) fn take_time(&mut self, count: usize, settings: &Settings) {
        self.free_at = settings.rate.map(|rate| {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            let nanoseconds = count.saturating_mul(1_000_000_000) / rate;
            Instant::now() + Duration::from_nanos(nanoseconds)
        });
    }

    /// Sends bytes on their way. Without any it is the end that comes with that delay.
    pub(super) fn send(&mut self, bytes: Bytes, delay: Duration) {
        self.count += bytes.len();
        let due = Instant::now() + delay;
        // A delay that became shorter does not let bytes overtake others.
        let due = self.under_way.back().map_or(due, |(_, last)| due.max(*last));
        self.under_way.push_back((bytes, due));
    }

    /// The first bytes that are on their way, when their time has come; `None` if there are none.
    pub(super) fn poll_front(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some((bytes, due)) = self.under_way.front() else { return Poll::Ready(None) };
        let (bytes, due) = (bytes.clone(), *due);
        self.arrival.poll_until(context, due).map(|()| Some(bytes))
    }

    /// So much of the first bytes has arrived.
    pub(super) fn advance(&mut self, count: usize) {
        let Some((bytes, _)) = self.under_way.front_mut() else { return };
        self.count = self.count.saturating_sub(count);
        if count >= bytes.len() {
            self.under_way.pop_front();
        } else {
            drop(bytes.split_to(count));
        }
    }
}
