//! The inbound calls: how many are open, and which handlers run.
//!
//! Invariants:
//! - The peer's call ids only increase.
//! - A call over the limit is refused and not run. A peer that keeps exceeding the limit loses its
//!   connection.
//! - A call is open until its reply has been written, so that replies cannot accumulate.

use std::collections::{HashMap, VecDeque};

use crate::protocol::error::ProtocolError;
use crate::protocol::frame::CallId;

/// How many calls are refused before the connection is closed, as a multiple of the limit.
const REFUSALS_PER_SLOT: usize = 4;

/// Whether an inbound call may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may run.
    Run,
    /// It is over the limit and must be refused.
    Refuse,
}

/// The table of inbound calls. `H` is the handle of a handler that did not finish at its first poll.
#[derive(Debug)]
pub struct InboundCalls<H> {
    limit: usize,
    highest_id: u64,
    open: usize,
    refused: usize,
    running: HashMap<CallId, H>,
    unflushed: VecDeque<u64>,
    /// The size in bytes of the arguments of open calls.
    held: u64,
}

impl<H> InboundCalls<H> {
    /// Creates a table with the limit that this side has announced.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            highest_id: 0,
            open: 0,
            refused: 0,
            running: HashMap::new(),
            unflushed: VecDeque::new(),
            held: 0,
        }
    }

    /// The highest id so far. A Goodbye names it as the last call that will be answered.
    #[must_use]
    pub fn highest_id(&self) -> CallId {
        CallId(self.highest_id)
    }

    /// The number of calls whose reply has not been written yet.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open
    }

    /// The size in bytes of the arguments of open calls.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Counts the arguments of a call.
    #[inline]
    pub fn hold(&mut self, bytes: u64) {
        self.held += bytes;
    }

    /// Stops counting arguments that are no longer needed.
    #[inline]
    pub fn release(&mut self, bytes: u64) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// Records the id of a Call or Oneway.
    ///
    /// # Errors
    /// [`ProtocolError::ReusedCallId`] unless it is greater than all earlier ids.
    #[inline]
    pub fn note_id(&mut self, id: CallId) -> Result<(), ProtocolError> {
        if id.0 <= self.highest_id {
            return Err(ProtocolError::ReusedCallId { id: id.0 });
        }
        self.highest_id = id.0;
        Ok(())
    }

    /// Opens a call. The limit does not apply to `nested` calls, whose parent was verified.
    ///
    /// # Errors
    /// [`ProtocolError::Flood`] if the peer keeps exceeding the limit.
    #[inline]
    pub fn begin(&mut self, nested: bool) -> Result<Admission, ProtocolError> {
        self.open += 1;
        if nested || self.open <= self.limit {
            return Ok(Admission::Run);
        }
        self.refused += 1;
        if self.refused > self.limit.saturating_mul(REFUSALS_PER_SLOT).max(64) {
            return Err(ProtocolError::Flood { what: "calls in flight" });
        }
        Ok(Admission::Refuse)
    }

    /// Stores the handle of a handler that is still running, for a Cancel.
    pub fn keep(&mut self, id: CallId, handle: H) {
        self.running.insert(id, handle);
    }

    /// The handle of a running handler.
    #[must_use]
    pub fn running(&self, id: CallId) -> Option<&H> {
        self.running.get(&id)
    }

    /// The number of stored handles.
    #[must_use]
    pub fn running_count(&self) -> usize {
        self.running.len()
    }

    /// The call's terminal frame is in the output and ends at `position`.
    #[inline]
    pub fn answered(&mut self, id: CallId, position: u64) {
        if !self.running.is_empty() {
            self.running.remove(&id);
        }
        self.unflushed.push_back(position);
    }

    /// The handler of a oneway call has ended.
    pub fn forget(&mut self, id: CallId) {
        self.running.remove(&id);
    }

    /// The output was written up to `position`. Calls whose reply ends there or before are closed.
    #[inline]
    pub fn flushed(&mut self, position: u64) {
        while self.unflushed.front().is_some_and(|end| *end <= position) {
            self.unflushed.pop_front();
            self.open = self.open.saturating_sub(1);
        }
        if self.open == 0 {
            self.refused = 0;
        }
    }

    /// Takes all handles, when the connection has ended.
    pub fn take_running(&mut self) -> impl Iterator<Item = H> + use<'_, H> {
        self.running.drain().map(|(_, handle)| handle)
    }

    /// Iterates over all handles.
    pub fn each_running(&self) -> impl Iterator<Item = &H> {
        self.running.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_ids_must_increase() {
        let mut table = InboundCalls::<()>::new(4);
        assert_eq!(table.note_id(CallId(5)), Ok(()));
        assert_eq!(table.note_id(CallId(9)), Ok(()), "gaps are allowed");
        assert_eq!(table.note_id(CallId(9)), Err(ProtocolError::ReusedCallId { id: 9 }));
        assert_eq!(table.note_id(CallId(0)), Err(ProtocolError::ReusedCallId { id: 0 }));
    }

    #[test]
    fn calls_over_limit_are_refused_unless_nested() {
        let mut table = InboundCalls::<()>::new(1);
        assert_eq!(table.begin(false), Ok(Admission::Run));
        assert_eq!(table.begin(false), Ok(Admission::Refuse));
        assert_eq!(table.begin(true), Ok(Admission::Run));
    }

    #[test]
    fn slot_is_free_after_reply_is_written() {
        let mut table = InboundCalls::<()>::new(1);
        assert_eq!(table.begin(false), Ok(Admission::Run));
        table.answered(CallId(1), 100);
        table.flushed(99);
        assert_eq!(table.begin(false), Ok(Admission::Refuse));
        table.answered(CallId(2), 150);
        table.flushed(150);
        assert_eq!(table.open(), 0);
        assert_eq!(table.begin(false), Ok(Admission::Run));
    }

    #[test]
    fn flood_closes_connection() {
        let mut table = InboundCalls::<()>::new(2);
        let outcome = (0..1000).find_map(|_| table.begin(false).err());
        assert_eq!(outcome, Some(ProtocolError::Flood { what: "calls in flight" }));
    }
}
