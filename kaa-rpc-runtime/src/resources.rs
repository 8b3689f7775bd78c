//! The budgets that all connections of a process share: running handlers, and memory for received and queued
//! data.
//!
//! Invariants: no operation waits for a budget, so a shortage cannot cause a deadlock: calls over a budget
//! are refused with an error; calls nested in an unanswered call of this side are never refused, because that
//! call depends on them; the memory of each connection is counted to within 64 KiB.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// The default number of running handlers.
const DEFAULT_HANDLERS: usize = 4096;
/// The default memory budget in bytes.
const DEFAULT_MEMORY: u64 = 256 * 1024 * 1024;
/// Smaller changes of a connection's memory, in bytes, are not reported.
const MIN_CHANGE: u64 = 64 * 1024;

/// Budgets that servers and clients share. By default these are the budgets of the process
/// ([`Resources::process_wide`]).
///
/// The memory budget covers unanswered inbound calls, received stream items that were not read yet,
/// incomplete frames, queued outbound calls, and output that the transport has not accepted yet. It does not
/// cover decoded values, which are limited per message.
#[derive(Clone)]
pub struct Resources {
    shared: Arc<Shared>,
}

struct Shared {
    max_handlers: usize,
    max_memory: u64,
    handlers: AtomicUsize,
    memory: AtomicU64,
}

impl Resources {
    /// Separate budgets: a number of running handlers, and bytes of memory. A handler that finishes at its
    /// first poll does not count.
    #[must_use]
    pub fn new(max_handlers: usize, max_memory: u64) -> Self {
        let (handlers, memory) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { shared: Arc::new(Shared { max_handlers, max_memory, handlers, memory }) }
    }

    /// The budgets of the process: 4,096 handlers and 256 MiB.
    #[must_use]
    pub fn process_wide() -> Self {
        static PROCESS: OnceLock<Resources> = OnceLock::new();
        PROCESS.get_or_init(|| Self::new(DEFAULT_HANDLERS, DEFAULT_MEMORY)).clone()
    }

    /// The handlers that run now, without those that finish at their first poll.
    #[must_use]
    pub fn handlers(&self) -> usize {
        self.shared.handlers.load(Ordering::Relaxed)
    }

    /// The memory used now in bytes, as last reported by the connections.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.shared.memory.load(Ordering::Relaxed)
    }

    /// Whether no more handlers may start.
    #[inline]
    pub(crate) fn has_no_handler_left(&self) -> bool {
        self.handlers() >= self.shared.max_handlers
    }

    /// Whether this many more bytes exceed the memory budget.
    #[inline]
    pub(crate) fn has_no_memory_for(&self, bytes: u64) -> bool {
        self.memory().saturating_add(bytes) > self.shared.max_memory
    }

    /// Counts a running handler until the permit is dropped.
    pub(crate) fn start_handler(&self) -> HandlerPermit {
        self.shared.handlers.fetch_add(1, Ordering::Relaxed);
        HandlerPermit { resources: self.clone() }
    }

    /// An account for memory. Dropping it releases what it holds.
    pub(crate) fn memory_account(&self) -> MemoryAccount {
        MemoryAccount { resources: self.clone(), reported: 0 }
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

/// A running handler in the count of the process.
#[derive(Debug)]
pub(crate) struct HandlerPermit {
    resources: Resources,
}

impl Drop for HandlerPermit {
    fn drop(&mut self) {
        self.resources.shared.handlers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The memory of one connection or reader, as last reported to the budget.
#[derive(Debug)]
pub(crate) struct MemoryAccount {
    resources: Resources,
    reported: u64,
}

impl MemoryAccount {
    /// Sets the memory used now. Small changes are not reported to the budget.
    #[inline]
    pub(crate) fn update(&mut self, bytes: u64) {
        if bytes.abs_diff(self.reported) >= MIN_CHANGE || (bytes == 0 && self.reported > 0) {
            self.report(bytes);
        }
    }

    /// Sets the memory used now, and reports every change to the budget.
    pub(crate) fn report(&mut self, bytes: u64) {
        let memory = &self.resources.shared.memory;
        if bytes >= self.reported {
            memory.fetch_add(bytes - self.reported, Ordering::Relaxed);
        } else {
            memory.fetch_sub(self.reported - bytes, Ordering::Relaxed);
        }
        self.reported = bytes;
    }
}

impl Drop for MemoryAccount {
    fn drop(&mut self) {
        self.report(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_4096_handlers_and_256_mib() {
        let shared = Resources::process_wide().shared;
        assert_eq!((shared.max_handlers, shared.max_memory), (4096, 256 * 1024 * 1024));
    }

    #[test]
    fn dropped_permits_and_accounts_are_released() {
        let resources = Resources::new(1, 1_000_000);
        let permit = resources.start_handler();
        assert!(resources.has_no_handler_left());
        drop(permit);
        assert!(!resources.has_no_handler_left());
        let mut account = resources.memory_account();
        account.update(1000);
        assert_eq!(resources.memory(), 0, "too little to report");
        account.update(900_000);
        assert!(resources.has_no_memory_for(100_001) && !resources.has_no_memory_for(100_000));
        account.update(890_000);
        assert_eq!(resources.memory(), 900_000);
        drop(account);
        assert_eq!(resources.memory(), 0);
    }
}
