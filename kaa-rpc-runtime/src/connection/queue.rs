//! Outbound calls that cannot be sent yet: before authentication, or at a limit.
//!
//! Invariants: first in, first out; bounded in calls and bytes; callers that find the queue full wait in
//! order.

use std::collections::VecDeque;
use std::task::Waker;

use tokio::time::Instant;

use crate::protocol::frame::{MethodId, Token};
use crate::protocol::metadata::Metadata;
use crate::settings::QueueLimits;

/// What happens to a call while a client that reconnects has no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDisconnect {
    /// The call waits for the next connection. An idempotent call that was lost is sent again.
    WaitForReady,
    /// The call fails.
    FailFast,
}

/// Identifies a caller that waits for room in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaiterId(u64);

/// A call that waits to be sent.
#[derive(Debug)]
pub(super) struct QueuedCall {
    /// The caller's slot; `None` for a oneway call.
    pub(super) token: Option<Token>,
    pub(super) method: MethodId,
    pub(super) deadline: Option<Instant>,
    pub(super) arguments: Vec<u8>,
    /// Whether it has a stream parameter.
    pub(super) has_stream: bool,
    pub(super) on_disconnect: OnDisconnect,
    pub(super) metadata: Option<Box<Metadata>>,
}

/// The queue, and the callers that wait for room in it.
#[derive(Debug)]
pub(super) struct Queue {
    limits: QueueLimits,
    calls: VecDeque<QueuedCall>,
    bytes: usize,
    waiters: VecDeque<(WaiterId, Waker)>,
    last_waiter: u64,
}

impl Queue {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self { limits, calls: VecDeque::new(), bytes: 0, waiters: VecDeque::new(), last_waiter: 0 }
    }

    /// Bytes of the queued arguments.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there are neither calls nor waiters, so that a new call may be sent at once.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.waiters.is_empty()
    }

    /// The number of queued calls.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether a caller may add a call with this many bytes now. Callers that wait go first.
    pub(super) fn has_room(&self, bytes: usize, waiter: Option<WaiterId>) -> bool {
        let is_first = match self.waiters.front() {
            None => true,
            Some((first, _)) => Some(*first) == waiter,
        };
        let is_within_limits = self.calls.is_empty()
            || (self.calls.len() < self.limits.calls
                && self.bytes.saturating_add(bytes) <= self.limits.bytes);
        is_first && is_within_limits
    }

    /// Adds a waiter, or replaces the waker of one that waits already.
    pub(super) fn add_waiter(&mut self, waiter: Option<WaiterId>, waker: &Waker) -> WaiterId {
        if let Some(id) = waiter
            && let Ok(index) = self.index_of(id)
            && let Some((_, stored)) = self.waiters.get_mut(index)
        {
            stored.clone_from(waker);
            return id;
        }
        self.last_waiter += 1;
        let id = WaiterId(self.last_waiter);
        self.waiters.push_back((id, waker.clone()));
        id
    }

    /// Removes a waiter. Returns the waker of the first one that remains, which may have room now.
    pub(super) fn remove_waiter(&mut self, id: WaiterId) -> Option<Waker> {
        if let Ok(index) = self.index_of(id) {
            self.waiters.remove(index);
        }
        self.first_waiter()
    }

    /// Ids are ascending, so a binary search finds them.
    fn index_of(&self, id: WaiterId) -> Result<usize, usize> {
        self.waiters.binary_search_by_key(&id, |(other, _)| *other)
    }

    pub(super) fn first_waiter(&self) -> Option<Waker> {
        self.waiters.front().map(|(_, waker)| waker.clone())
    }

    /// The wakers of all waiters, which keep waiting.
    pub(super) fn waiters(&self) -> impl Iterator<Item = Waker> + use<'_> {
        self.waiters.iter().map(|(_, waker)| waker.clone())
    }

    /// Removes all waiters.
    pub(super) fn take_waiters(&mut self) -> impl Iterator<Item = Waker> + use<'_> {
        self.waiters.drain(..).map(|(_, waker)| waker)
    }

    pub(super) fn push(&mut self, call: QueuedCall) {
        self.bytes = self.bytes.saturating_add(call.arguments.len());
        self.calls.push_back(call);
    }

    pub(super) fn front(&self) -> Option<&QueuedCall> {
        self.calls.front()
    }

    pub(super) fn pop(&mut self) -> Option<QueuedCall> {
        let call = self.calls.pop_front()?;
        self.bytes = self.bytes.saturating_sub(call.arguments.len());
        Some(call)
    }

    /// Removes the calls that fail without a connection. Oneway calls stay: their callers no longer wait for
    /// them.
    pub(super) fn take_fail_fast(&mut self) -> VecDeque<QueuedCall> {
        let calls = std::mem::take(&mut self.calls).into_iter();
        let (removed, kept) =
            calls.partition(|call| call.on_disconnect == OnDisconnect::FailFast && call.token.is_some());
        self.calls = kept;
        self.bytes = self.calls.iter().map(|call| call.arguments.len()).sum();
        removed
    }

    /// Removes the call of a caller that is gone.
    pub(super) fn remove(&mut self, token: Token) {
        if let Some(index) = self.calls.iter().position(|call| call.token == Some(token))
            && let Some(call) = self.calls.remove(index)
        {
            self.bytes = self.bytes.saturating_sub(call.arguments.len());
        }
    }
}
