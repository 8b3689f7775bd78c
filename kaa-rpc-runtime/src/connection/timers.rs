//! Timers that detect a peer that makes no progress or sends nothing.
//!
//! Invariants: each stall timer observes one kind of progress, so that a peer cannot gain time for an
//! incomplete frame by reading, nor for unread output by sending; anything the peer sends resets keepalive; a
//! busy connection pays for keepalive with one atomic load per poll and a wake now and then; no ping is sent
//! while output is pending, because a stall timer covers that case.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use super::guard::{lock, store};
use crate::settings::Keepalive;

/// Checks in one keepalive interval.
const CHECKS: u32 = 4;

/// A timer that runs while something is incomplete, and restarts with each progress.
#[derive(Debug, Default)]
pub(super) struct StallTimer {
    running: Option<(Pin<Box<Sleep>>, u64)>,
}

impl StallTimer {
    /// Ready when `is_incomplete` has been true for `limit` without a change of `progress`.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        is_incomplete: bool,
        progress: u64,
        limit: Duration,
    ) -> Poll<()> {
        if !is_incomplete {
            self.running = None;
            return Poll::Pending;
        }
        let (timer, last) = self.running.get_or_insert_with(|| (Box::pin(sleep(limit)), progress));
        if *last != progress {
            *last = progress;
            // A limit beyond the range of `Instant` never expires.
            if let Some(end) = Instant::now().checked_add(limit) {
                timer.as_mut().reset(end);
            }
        }
        timer.as_mut().poll(context)
    }
}

/// What to do about a silent peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeepaliveAction {
    None,
    Ping,
    /// The peer has not answered a ping in time.
    Close,
}

/// Measures the silence of a peer.
#[derive(Debug)]
pub(super) struct KeepaliveTimer {
    keepalive: Option<Keepalive>,
    flag: Arc<TimerFlag>,
    timer: Option<Pin<Box<Sleep>>>,
    /// The number of reads at the last check.
    reads: u64,
    silent_checks: u32,
    is_pinged: bool,
}

impl KeepaliveTimer {
    pub(super) fn new(keepalive: Option<Keepalive>) -> Self {
        let flag = Arc::new(TimerFlag { is_set: AtomicBool::new(true), driver: Mutex::new(None) });
        Self { keepalive, flag, timer: None, reads: 0, silent_checks: 0, is_pinged: false }
    }

    /// Checks the peer if it is time to. `reads` grows whenever the peer sends something.
    #[inline]
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        reads: u64,
        is_output_pending: bool,
    ) -> KeepaliveAction {
        let has_answered = self.is_pinged && reads != self.reads;
        if !has_answered && !self.flag.is_set.load(Ordering::Acquire) {
            return KeepaliveAction::None;
        }
        match self.keepalive {
            Some(keepalive) => self.check(keepalive, context, reads, is_output_pending),
            None => KeepaliveAction::None,
        }
    }

    #[cold]
    fn check(
        &mut self,
        keepalive: Keepalive,
        context: &mut Context<'_>,
        reads: u64,
        is_output_pending: bool,
    ) -> KeepaliveAction {
        let interval = keepalive.interval / CHECKS;
        self.flag.is_set.store(false, Ordering::Release);
        store(&mut lock(&self.flag.driver), context.waker());
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(interval)));
        if self.is_pinged && reads != self.reads {
            self.is_pinged = false;
            timer.as_mut().set(sleep(interval));
        }
        let waker = Waker::from(Arc::clone(&self.flag));
        let mut action = KeepaliveAction::None;
        while timer.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            let next = if self.reads != reads || is_output_pending {
                self.reads = reads;
                self.silent_checks = 0;
                self.is_pinged = false;
                interval
            } else if self.is_pinged {
                return KeepaliveAction::Close;
            } else {
                self.silent_checks += 1;
                if self.silent_checks >= CHECKS {
                    self.is_pinged = true;
                    action = KeepaliveAction::Ping;
                    keepalive.timeout
                } else {
                    interval
                }
            };
            // With an interval of zero this loop would never end.
            timer.as_mut().set(sleep(next.max(Duration::from_millis(1))));
        }
        action
    }
}

/// Set when the keepalive timer expires. Setting it wakes the driver.
#[derive(Debug)]
struct TimerFlag {
    is_set: AtomicBool,
    driver: Mutex<Option<Waker>>,
}

impl Wake for TimerFlag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_set.store(true, Ordering::Release);
        let driver = lock(&self.driver).clone();
        driver.into_iter().for_each(Waker::wake);
    }
}
