//! What all connections of a process may use together: handlers at work, and memory for what has come and what is to go.
//!
//! Invariants: nobody waits for either, so that a shortage cannot become a deadlock: what finds no place is refused, and
//! told so; calls nested in an unanswered call of this side find one always, because others wait for them; what a
//! connection uses is counted to within 64 KiB.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Handlers at work that did not finish at once.
const MOST_HANDLERS: usize = 4096;
/// Bytes.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// What a connection may use without telling.
const UNTOLD: u64 = 64 * 1024;

/// Budgets that servers and clients share: those of the process ([`Resources::process_wide`]), unless they are given others.
///
/// Memory is that of calls of the peer until they are answered, of streams that have come and were not taken, of frames
/// that are half here, of calls that wait to leave, and of output that was not taken. What decoded values take beside
/// it is bounded for each message.
#[derive(Clone)]
pub struct Resources {
    shared: Arc<Shared>,
}

struct Shared {
    most_handlers: usize,
    most_memory: u64,
    handlers: AtomicUsize,
    memory: AtomicU64,
}

impl Resources {
    /// Budgets of their own: so many handlers at work that did not finish at once, and so many bytes.
    #[must_use]
    pub fn new(most_handlers: usize, most_memory: u64) -> Self {
        let (handlers, memory) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { shared: Arc::new(Shared { most_handlers, most_memory, handlers, memory }) }
    }

    /// Those of the process: 4,096 handlers and 256 MiB.
    #[must_use]
    pub fn process_wide() -> Self {
        static PROCESS: OnceLock<Resources> = OnceLock::new();
        PROCESS.get_or_init(|| Self::new(MOST_HANDLERS, MOST_MEMORY)).clone()
    }

    /// Handlers at work now that did not finish at once.
    #[must_use]
    pub fn handlers(&self) -> usize {
        self.shared.handlers.load(Ordering::Relaxed)
    }

    /// Bytes used now, as far as connections have told.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.shared.memory.load(Ordering::Relaxed)
    }

    /// Whether no more handlers may begin.
    #[inline]
    pub(crate) fn has_no_handler_left(&self) -> bool {
        self.handlers() >= self.shared.most_handlers
    }

    /// Whether there is no memory left for this many bytes.
    #[inline]
    pub(crate) fn has_no_memory_for(&self, bytes: u64) -> bool {
        self.memory().saturating_add(bytes) > self.shared.most_memory
    }

    /// A handler is at work as long as this lives.
    pub(crate) fn begin_handler(&self) -> HandlerPlace {
        self.shared.handlers.fetch_add(1, Ordering::Relaxed);
        HandlerPlace { resources: self.clone() }
    }

    /// Memory that is counted until this goes.
    pub(crate) fn usage(&self) -> Usage {
        Usage { resources: self.clone(), told: 0 }
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Resources")
            .field("handlers", &self.handlers())
            .field("memory", &self.memory())
            .finish_non_exhaustive()
    }
}

/// A handler's place among those of the process.
#[derive(Debug)]
pub(crate) struct HandlerPlace {
    resources: Resources,
}

impl Drop for HandlerPlace {
    fn drop(&mut self) {
        self.resources.shared.handlers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What one user of memory uses, as far as it has told.
#[derive(Debug)]
pub(crate) struct Usage {
    resources: Resources,
    told: u64,
}

impl Usage {
    /// It uses so much now; small changes are not worth telling.
    #[inline]
    pub(crate) fn update(&mut self, bytes: u64) {
        if bytes.abs_diff(self.told) >= UNTOLD || (bytes == 0 && self.told > 0) {
            self.tell(bytes);
        }
    }

    /// It uses so much now.
    pub(crate) fn tell(&mut self, bytes: u64) {
        let memory = &self.resources.shared.memory;
        if bytes >= self.told {
            memory.fetch_add(bytes - self.told, Ordering::Relaxed);
        } else {
            memory.fetch_sub(self.told - bytes, Ordering::Relaxed);
        }
        self.told = bytes;
    }
}

impl Drop for Usage {
    fn drop(&mut self) {
        self.tell(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_4096_handlers_and_256_mib() {
        let shared = Resources::process_wide().shared;
        assert_eq!((shared.most_handlers, shared.most_memory), (4096, 256 * 1024 * 1024));
    }

    #[test]
    fn what_is_used_is_given_back() {
        let resources = Resources::new(1, 1_000_000);
        let place = resources.begin_handler();
        assert!(resources.has_no_handler_left());
        drop(place);
        assert!(!resources.has_no_handler_left());
        let mut usage = resources.usage();
        usage.update(1000);
        assert_eq!(resources.memory(), 0, "too little to tell");
        usage.update(900_000);
        assert!(resources.has_no_memory_for(100_001) && !resources.has_no_memory_for(100_000));
        usage.update(890_000);
        assert_eq!(resources.memory(), 900_000);
        drop(usage);
        assert_eq!(resources.memory(), 0);
    }
}
