//! A watch over a peer that says nothing: after a time of silence it is pinged, and if nothing comes then, it is gone.
//!
//! Invariants: a connection that is busy pays one look at a flag per turn, and a wake now and then; whatever the peer
//! sends is a sign of life; while output waits for the peer there is no ping, because that has a watch of its own.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// Looks at the peer in a time of silence before it is pinged.
const LOOKS: u32 = 4;

/// How long a peer may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keepalive {
    /// Before it is pinged.
    pub(crate) interval: Duration,
    /// Behind a ping.
    pub(crate) timeout: Duration,
}

/// What is to be done about the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing.
    Fine,
    /// Ping it.
    Silent,
    /// It does not timeout.
    Gone,
}

/// The watch.
#[derive(Debug)]
pub(super) struct KeepaliveTimer {
    keepalive: Option<Keepalive>,
    alarm: Arc<Alarm>,
    timer: Option<Pin<Box<Sleep>>>,
    /// Reads at the last look.
    seen: u64,
    silent_looks: u32,
    is_pinged: bool,
}

impl KeepaliveTimer {
    /// Watches, if there is a keepalive to lose.
    pub(super) fn new(keepalive: Option<Keepalive>) -> Self {
        let alarm = Arc::new(Alarm { has_rung: AtomicBool::new(true), driver: Mutex::new(None) });
        Self { keepalive, alarm, timer: None, seen: 0, silent_looks: 0, is_pinged: false }
    }

    /// Looks at the peer, if it is time to; `reads` grows with whatever it sends.
    #[inline]
    pub(super) fn poll(&mut self, context: &mut Context<'_>, reads: u64, output_waits: bool) -> Sign {
        let has_answered = self.is_pinged && reads != self.seen;
        if !has_answered && !self.alarm.has_rung.load(Ordering::Acquire) {
            return Sign::Fine;
        }
        match self.keepalive {
            Some(keepalive) => self.look(keepalive, context, reads, output_waits),
            None => Sign::Fine,
        }
    }

    #[cold]
    fn look(
        &mut self,
        keepalive: Keepalive,
        context: &mut Context<'_>,
        reads: u64,
        output_waits: bool,
    ) -> Sign {
        let look = keepalive.interval / LOOKS;
        self.alarm.has_rung.store(false, Ordering::Release);
        self.alarm.keep(context.waker());
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(look)));
        if self.is_pinged && reads != self.seen {
            self.is_pinged = false;
            timer.as_mut().set(sleep(look));
        }
        let waker = Waker::from(Arc::clone(&self.alarm));
        let mut sign = Sign::Fine;
        while timer.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            let next = if self.seen != reads || output_waits {
                self.seen = reads;
                self.silent_looks = 0;
                self.is_pinged = false;
                look
            } else if self.is_pinged {
                return Sign::Gone;
            } else {
                self.silent_looks += 1;
                if self.silent_looks >= LOOKS {
                    self.is_pinged = true;
                    sign = Sign::Silent;
                    keepalive.timeout
                } else {
                    look
                }
            };
            // A look of no time at all would be the last thing this task does.
            timer.as_mut().set(sleep(next.max(Duration::from_millis(1))));
        }
        sign
    }
}

/// Rings when it is time to look, and wakes the driver.
#[derive(Debug)]
struct Alarm {
    has_rung: AtomicBool,
    driver: Mutex<Option<Waker>>,
}

impl Alarm {
    fn keep(&self, waker: &Waker) {
        let mut driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *driver {
            Some(kept) => kept.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        let driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner).clone();
        driver.into_iter().for_each(Waker::wake);
    }
}
