//! Your questions: how many calls of the peer are unanswered, and which of them run.
//!
//! Invariants: ids of the peer only grow; a call over the limit is answered and not run, and a peer that goes on
//! regardless is cut off; a call counts until its reply has left the output, so that replies cannot pile up.

use std::collections::{HashMap, VecDeque};

use crate::protocol::error::ProtocolError;
use crate::protocol::frame::CallId;

/// Calls over the limit that are answered with a refusal before the connection is ended, per limit's worth of calls.
const REFUSALS_PER_SLOT: usize = 4;

/// Whether a call of the peer may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Run,
    /// It is over the limit: answer it so.
    Refuse,
}

/// The table. `H` is the handle of a handler that did not finish at once.
#[derive(Debug)]
pub struct Incoming<H> {
    limit: usize,
    highest_id: u64,
    open: usize,
    refused: usize,
    running: HashMap<CallId, H>,
    unflushed: VecDeque<u64>,
    /// Bytes of the arguments of calls that are unanswered.
    held: u64,
}

impl<H> Incoming<H> {
    /// A table for a peer that was told this limit.
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

    /// The highest id seen, which a Goodbye names as the last call that will be answered.
    #[must_use]
    pub fn highest_id(&self) -> CallId {
        CallId(self.highest_id)
    }

    /// Calls whose replies have not left yet.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open
    }

    /// Bytes of the arguments of calls that are unanswered.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held
    }

    /// A call's arguments are here.
    #[inline]
    pub fn hold(&mut self, bytes: u64) {
        self.held += bytes;
    }

    /// They are not needed any more.
    #[inline]
    pub fn release(&mut self, bytes: u64) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// Notes the id of a Call or Oneway.
    ///
    /// # Errors
    /// [`ProtocolError::ReusedCallId`] unless it is above all before it.
    #[inline]
    pub fn note_id(&mut self, id: CallId) -> Result<(), ProtocolError> {
        if id.0 <= self.highest_id {
            return Err(ProtocolError::ReusedCallId { id: id.0 });
        }
        self.highest_id = id.0;
        Ok(())
    }

    /// A Call has come. `nested` calls, whose parent was verified, pass the limit.
    ///
    /// # Errors
    /// [`ProtocolError::Flood`] for a peer that ignores the limit again and again.
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

    /// The call's handler is still at work: keep its handle for a Cancel.
    pub fn keep(&mut self, id: CallId, handle: H) {
        self.running.insert(id, handle);
    }

    /// The handle of a call that is being cancelled.
    #[must_use]
    pub fn running(&self, id: CallId) -> Option<&H> {
        self.running.get(&id)
    }

    /// Calls whose handlers did not finish at once and are still at work.
    #[must_use]
    pub fn running_count(&self) -> usize {
        self.running.len()
    }

    /// The terminal frame is in the output, which will have written it when it has written up to `position`.
    #[inline]
    pub fn answered(&mut self, id: CallId, position: u64) {
        if !self.running.is_empty() {
            self.running.remove(&id);
        }
        self.unflushed.push_back(position);
    }

    /// The handler of a oneway call is over.
    pub fn forget(&mut self, id: CallId) {
        self.running.remove(&id);
    }

    /// The output has written up to `position`: calls answered before it are over.
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

    /// Takes all handles: the connection is gone.
    pub fn take_running(&mut self) -> impl Iterator<Item = H> + use<'_, H> {
        self.running.drain().map(|(_, handle)| handle)
    }

    /// Looks at all handles.
    pub fn each_running(&self) -> impl Iterator<Item = &H> {
        self.running.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_must_grow() {
        let mut table = Incoming::<()>::new(4);
        assert_eq!(table.note_id(CallId(5)), Ok(()));
        assert_eq!(table.note_id(CallId(9)), Ok(()), "gaps are allowed");
        assert_eq!(table.note_id(CallId(9)), Err(ProtocolError::ReusedCallId { id: 9 }));
        assert_eq!(table.note_id(CallId(0)), Err(ProtocolError::ReusedCallId { id: 0 }));
    }

    #[test]
    fn calls_over_the_limit_are_refused_and_nested_ones_are_not() {
        let mut table = Incoming::<()>::new(1);
        assert_eq!(table.begin(false), Ok(Admission::Run));
        assert_eq!(table.begin(false), Ok(Admission::Refuse));
        assert_eq!(table.begin(true), Ok(Admission::Run));
    }

    #[test]
    fn a_slot_is_free_when_its_reply_has_left() {
        let mut table = Incoming::<()>::new(1);
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
    fn a_flood_ends_the_connection() {
        let mut table = Incoming::<()>::new(2);
        let outcome = (0..1000).find_map(|_| table.begin(false).err());
        assert_eq!(outcome, Some(ProtocolError::Flood { what: "calls in flight" }));
    }
}
