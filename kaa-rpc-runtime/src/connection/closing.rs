//! Who wants to be told when a link is over for good.

use std::collections::BTreeMap;
use std::fmt;

use super::link::{Link, Phase};

/// What is done at the end.
pub(crate) type OnClose = Box<dyn FnOnce() + Send>;

/// A place among those who are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CloseTicket(u64);

/// Those who are told.
#[derive(Default)]
pub(super) struct Closers {
    waiting: BTreeMap<CloseTicket, OnClose>,
    next: u64,
}

impl Closers {
    pub(super) fn take(&mut self) -> impl Iterator<Item = OnClose> + use<> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

impl fmt::Debug for Closers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Closers").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

impl Link {
    /// Does this when the link is over for good; at once, and without a ticket, if it is already.
    pub(crate) fn when_closed(&self, then: OnClose) -> Option<CloseTicket> {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Closed(_)) {
            drop(state);
            then();
            return None;
        }
        let ticket = CloseTicket(state.closers.next);
        state.closers.next += 1;
        state.closers.waiting.insert(ticket, then);
        Some(ticket)
    }

    /// Whoever waited does not wait any more.
    pub(crate) fn forget_close(&self, ticket: CloseTicket) {
        let then = self.lock().closers.waiting.remove(&ticket);
        // Dropped outside of the lock: it may hold the last of something.
        drop(then);
    }
}
