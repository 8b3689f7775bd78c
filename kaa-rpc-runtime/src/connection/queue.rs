//! Calls that have been made and cannot leave yet: before authentication, or at a limit.
//!
//! Invariants: first in, first out; bounded in calls and bytes; who finds no room stands in line by ticket.

use std::collections::VecDeque;
use std::task::Waker;
use tokio::time::Instant;

use crate::peer::Absence;
use crate::protocol::frame::{MethodId, Token};
use crate::protocol::metadata::Metadata;

/// How much may wait to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueLimits {
    /// Calls.
    pub(crate) calls: usize,
    /// Bytes of their arguments. One call may wait, however large.
    pub(crate) bytes: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { calls: 1024, bytes: 4 * 1024 * 1024 }
    }
}

/// A place in the line of callers who found the queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// A call that waits to leave.
#[derive(Debug)]
pub(crate) struct QueuedCall {
    /// The caller's slot; a oneway call has none.
    pub(crate) token: Option<Token>,
    pub(crate) method: MethodId,
    pub(crate) deadline: Option<Instant>,
    pub(crate) arguments: Vec<u8>,
    /// Whether a stream follows it.
    pub(crate) has_stream: bool,
    /// Whether it stays while there is no connection.
    pub(crate) absence: Absence,
    pub(crate) metadata: Option<Box<Metadata>>,
}

/// The queue and the line before it.
#[derive(Debug)]
pub(crate) struct Queue {
    limits: QueueLimits,
    calls: VecDeque<QueuedCall>,
    bytes: usize,
    line: VecDeque<(Ticket, Waker)>,
    next_ticket: u64,
}

impl Queue {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        Self { limits, calls: VecDeque::new(), bytes: 0, line: VecDeque::new(), next_ticket: 0 }
    }

    /// Bytes of arguments that wait to leave.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether no call waits, so that a new one may leave at once.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.line.is_empty()
    }

    /// Calls that wait to leave.
    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether a call with this many bytes may enter now, for somebody who holds this ticket or none.
    pub(crate) fn has_room(&self, bytes: usize, ticket: Option<Ticket>) -> bool {
        let my_turn = match self.line.front() {
            None => true,
            Some((first, _)) => Some(*first) == ticket,
        };
        let fits = self.calls.is_empty()
            || (self.calls.len() < self.limits.calls
                && self.bytes.saturating_add(bytes) <= self.limits.bytes);
        my_turn && fits
    }

    /// Stands in line, or stays there.
    pub(crate) fn stand_in_line(&mut self, ticket: Option<Ticket>, waker: &Waker) -> Ticket {
        if let Some(ticket) = ticket
            && let Ok(place) = self.place(ticket)
            && let Some((_, kept)) = self.line.get_mut(place)
        {
            kept.clone_from(waker);
            return ticket;
        }
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.line.push_back((ticket, waker.clone()));
        ticket
    }

    /// Leaves the line, for the queue or for good. The next in line is to be woken.
    pub(crate) fn leave_line(&mut self, ticket: Ticket) -> Option<Waker> {
        if let Ok(place) = self.place(ticket) {
            self.line.remove(place);
        }
        self.next_in_line()
    }

    /// Tickets only grow, so a place in a long line is soon found.
    fn place(&self, ticket: Ticket) -> Result<usize, usize> {
        self.line.binary_search_by_key(&ticket, |(other, _)| *other)
    }

    /// Who may try to enter now.
    pub(crate) fn next_in_line(&self) -> Option<Waker> {
        self.line.front().map(|(_, waker)| waker.clone())
    }

    /// Everybody in line, who stays there.
    pub(crate) fn line(&self) -> impl Iterator<Item = Waker> + use<'_> {
        self.line.iter().map(|(_, waker)| waker.clone())
    }

    /// Everybody in line: they will find the connection closed.
    pub(crate) fn take_line(&mut self) -> impl Iterator<Item = Waker> + use<'_> {
        self.line.drain(..).map(|(_, waker)| waker)
    }

    pub(crate) fn push(&mut self, call: QueuedCall) {
        self.bytes = self.bytes.saturating_add(call.arguments.len());
        self.calls.push_back(call);
    }

    pub(crate) fn front(&self) -> Option<&QueuedCall> {
        self.calls.front()
    }

    pub(crate) fn pop(&mut self) -> Option<QueuedCall> {
        let call = self.calls.pop_front()?;
        self.bytes = self.bytes.saturating_sub(call.arguments.len());
        Some(call)
    }

    /// Takes out the calls that do not wait for another connection, but for oneway ones: their callers have gone on.
    pub(crate) fn take_fail_fast(&mut self) -> VecDeque<QueuedCall> {
        let calls = std::mem::take(&mut self.calls).into_iter();
        let (gone, kept) = calls.partition(|call| call.absence == Absence::Fail && call.token.is_some());
        self.calls = kept;
        self.bytes = self.calls.iter().map(|call| call.arguments.len()).sum();
        gone
    }

    /// Takes out a call whose caller has gone.
    pub(crate) fn remove(&mut self, token: Token) {
        if let Some(index) = self.calls.iter().position(|call| call.token == Some(token))
            && let Some(call) = self.calls.remove(index)
        {
            self.bytes = self.bytes.saturating_sub(call.arguments.len());
        }
    }
}
