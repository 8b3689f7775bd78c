//! The outbound calls. Each has a slot until its one terminal frame has arrived.
//!
//! Invariants:
//! - A token identifies a slot and a call id the slot's generation, so that a late reply finds no call.
//! - Call ids only increase.
//! - The slot of an abandoned call stays occupied until the peer's terminal frame.
//! - A caller receives the end of its call exactly once.

use bytes::Bytes;

use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{CallId, Parent, Status, Token};

/// The end of a call, as received from the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// How the call ended.
    pub status: Status,
    /// The payload. Its meaning depends on the status.
    pub payload: Bytes,
}

/// The table of outbound calls. `W` is the waker of a caller, `X` an end that this side decides itself, such
/// as a lost connection.
#[derive(Debug)]
pub struct OutboundCalls<W, X> {
    slots: Vec<Slot<W, X>>,
    free: Vec<u32>,
    last_id: u64,
    in_flight: usize,
}

#[derive(Debug)]
struct Slot<W, X> {
    id: CallId,
    sent_at: u64,
    state: State<W, X>,
}

#[derive(Debug)]
enum State<W, X> {
    Free,
    /// The call has a slot but no id yet: it has not been sent.
    Queued(Option<W>),
    Waiting(Option<W>),
    Abandoned,
    Ended(Result<Terminal, X>),
}

/// The result of polling a call.
#[derive(Debug, PartialEq, Eq)]
pub enum CallPoll<X> {
    /// The call has not ended. The waker is stored.
    Pending,
    /// The call has ended. Its slot is free again.
    Ready(Result<Terminal, X>),
    /// The slot does not belong to the caller: it was polled again after the end.
    Gone,
}

/// The state of a call that was not abandoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// The call has not been sent yet.
    Queued,
    /// The call was sent with this id and has not ended.
    Waiting(CallId),
    /// The call has ended, or was abandoned.
    Ended,
}

/// The state of a call when its caller abandoned it.
#[derive(Debug, PartialEq, Eq)]
pub enum AbandonedCall {
    /// The call had not been sent. It will not be.
    Unsent,
    /// The call was sent. The peer must receive a Cancel.
    Sent(CallId),
    /// The call had already ended.
    Ended,
}

impl<W, X> Default for OutboundCalls<W, X> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), last_id: 0, in_flight: 0 }
    }
}

impl<W, X> OutboundCalls<W, X> {
    /// The number of calls that were sent and have not ended.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Issues the next call id, for a Call or a Oneway.
    pub fn issue_id(&mut self) -> CallId {
        self.last_id += 1;
        CallId(self.last_id)
    }

    /// Takes a slot for a call that has no id yet.
    pub fn reserve(&mut self) -> Token {
        let slot = Slot { id: CallId(0), sent_at: 0, state: State::Queued(None) };
        if let Some(index) = self.free.pop() {
            if let Some(place) = usize::try_from(index).ok().and_then(|index| self.slots.get_mut(index)) {
                *place = slot;
            }
            return Token(index);
        }
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(slot);
        Token(index)
    }

    /// Gives a queued call its id when it is sent. `sent_at` is the position of its frame in the connection's
    /// output.
    pub fn mark_sent(&mut self, token: Token, sent_at: u64) -> CallId {
        let id = self.issue_id();
        if let Some(slot) = self.slot_mut(token) {
            slot.id = id;
            slot.sent_at = sent_at;
            if let State::Queued(waker) = &mut slot.state {
                slot.state = State::Waiting(waker.take());
                self.in_flight += 1;
            }
        }
        id
    }

    /// The id and the slot of the next call, as [`OutboundCalls::insert_sent`] will assign them.
    #[must_use]
    pub fn next(&self) -> (CallId, Token) {
        let token = self.free.last().copied();
        (
            CallId(self.last_id + 1),
            Token(token.unwrap_or_else(|| u32::try_from(self.slots.len()).unwrap_or(u32::MAX))),
        )
    }

    /// Takes a slot for a call that is sent at once. `sent_at` is the position of its frame in the
    /// connection's output.
    pub fn insert_sent(&mut self, sent_at: u64, waker: W) -> Token {
        let token = self.reserve();
        self.mark_sent(token, sent_at);
        if let Some(slot) = self.slot_mut(token) {
            slot.state = State::Waiting(Some(waker));
        }
        token
    }

    /// Whether this call was sent and has not ended, as required of the parent of a nested call.
    #[must_use]
    pub fn is_unanswered(&self, parent: &Parent) -> bool {
        self.slot(parent.token).is_some_and(|slot| {
            slot.id == parent.id && matches!(slot.state, State::Waiting(_) | State::Abandoned)
        })
    }

    /// The state of a call that was not abandoned.
    #[must_use]
    pub fn state(&self, token: Token) -> CallState {
        match self.slot(token) {
            Some(Slot { id, state: State::Waiting(_), .. }) => CallState::Waiting(*id),
            Some(Slot { state: State::Queued(_), .. }) => CallState::Queued,
            _ => CallState::Ended,
        }
    }

    /// Whether this call was abandoned and has not ended.
    #[must_use]
    pub fn is_abandoned(&self, id: CallId, token: Token) -> bool {
        self.slot(token).is_some_and(|slot| slot.id == id && matches!(slot.state, State::Abandoned))
    }

    /// Whether this id has not been issued.
    #[must_use]
    pub fn was_never_issued(&self, id: CallId) -> bool {
        id.0 > self.last_id || id.0 == 0
    }

    /// Polls the call for its caller. `keep` updates the stored waker.
    pub fn poll(&mut self, token: Token, keep: impl FnOnce(&mut Option<W>)) -> CallPoll<X> {
        let Some(slot) = self.slot_mut(token) else { return CallPoll::Gone };
        match &mut slot.state {
            State::Queued(waker) | State::Waiting(waker) => {
                keep(waker);
                CallPoll::Pending
            }
            State::Ended(_) => match std::mem::replace(&mut slot.state, State::Free) {
                State::Ended(end) => {
                    self.free.push(token.0);
                    CallPoll::Ready(end)
                }
                _ => CallPoll::Gone,
            },
            State::Free | State::Abandoned => CallPoll::Gone,
        }
    }

    /// The caller no longer waits for the call.
    pub fn abandon(&mut self, token: Token) -> AbandonedCall {
        let Some(slot) = self.slot_mut(token) else { return AbandonedCall::Ended };
        match slot.state {
            State::Queued(_) => {
                slot.state = State::Free;
                self.free.push(token.0);
                AbandonedCall::Unsent
            }
            State::Waiting(_) => {
                slot.state = State::Abandoned;
                AbandonedCall::Sent(slot.id)
            }
            State::Ended(_) => {
                slot.state = State::Free;
                self.free.push(token.0);
                AbandonedCall::Ended
            }
            State::Free | State::Abandoned => AbandonedCall::Ended,
        }
    }

    /// Ends a call with the peer's terminal frame. Returns the caller's waker.
    ///
    /// # Errors
    /// [`ProtocolError::UnissuedCallId`] if no call has had this id.
    pub fn finish(
        &mut self,
        id: CallId,
        token: Token,
        terminal: Terminal,
    ) -> Result<Option<W>, ProtocolError> {
        if self.was_never_issued(id) {
            return Err(ProtocolError::UnissuedCallId { id: id.0 });
        }
        let Some(slot) = self.slot_mut(token).filter(|slot| slot.id == id) else { return Ok(None) };
        match &mut slot.state {
            State::Waiting(waker) => {
                let waker = waker.take();
                slot.state = State::Ended(Ok(terminal));
                self.in_flight -= 1;
                Ok(waker)
            }
            State::Abandoned => {
                slot.state = State::Free;
                self.free.push(token.0);
                self.in_flight -= 1;
                Ok(None)
            }
            State::Free | State::Queued(_) | State::Ended(_) => Ok(None),
        }
    }

    /// Ends a queued call without the peer. Returns the caller's waker.
    pub fn end_queued(&mut self, token: Token, end: X) -> Option<W> {
        let slot = self.slot_mut(token)?;
        let State::Queued(waker) = &mut slot.state else { return None };
        let waker = waker.take();
        slot.state = State::Ended(Err(end));
        waker
    }

    /// Ends calls that were sent, when the connection has ended. `select` returns the end of a call from its
    /// id and the position of its frame in the output. Queued calls stay.
    pub fn end_sent(&mut self, mut select: impl FnMut(CallId, u64) -> Option<X>, mut wake: impl FnMut(W)) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if !matches!(slot.state, State::Waiting(_) | State::Abandoned) {
                continue;
            }
            let Some(end) = select(slot.id, slot.sent_at) else { continue };
            self.in_flight -= 1;
            match std::mem::replace(&mut slot.state, State::Free) {
                State::Waiting(waker) => {
                    slot.state = State::Ended(Err(end));
                    waker.into_iter().for_each(&mut wake);
                }
                _ => self.free.extend(u32::try_from(index)),
            }
        }
    }

    fn slot(&self, token: Token) -> Option<&Slot<W, X>> {
        usize::try_from(token.0).ok().and_then(|index| self.slots.get(index))
    }

    fn slot_mut(&mut self, token: Token) -> Option<&mut Slot<W, X>> {
        usize::try_from(token.0).ok().and_then(|index| self.slots.get_mut(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(payload: &'static [u8]) -> Terminal {
        Terminal { status: Status::Ok, payload: Bytes::from_static(payload) }
    }

    fn sent<X>(table: &mut OutboundCalls<&'static str, X>) -> (CallId, Token) {
        let token = table.reserve();
        (table.mark_sent(token, 0), token)
    }

    #[test]
    fn reply_reaches_caller_once() {
        let mut table = OutboundCalls::<_, ()>::default();
        let (id, token) = sent(&mut table);
        assert_eq!(table.poll(token, |waker| *waker = Some("me")), CallPoll::Pending);
        assert_eq!(table.finish(id, token, ok(b"x")), Ok(Some("me")));
        assert_eq!(table.in_flight(), 0);
        assert_eq!(table.finish(id, token, ok(b"y")), Ok(None), "a second reply is ignored");
        assert_eq!(table.poll(token, |_| ()), CallPoll::Ready(Ok(ok(b"x"))));
        assert_eq!(table.poll(token, |_| ()), CallPoll::Gone);
    }

    #[test]
    fn late_reply_misses_generation() {
        let mut table = OutboundCalls::<_, ()>::default();
        let (first, token) = sent(&mut table);
        assert_eq!(table.finish(first, token, ok(b"")), Ok(None));
        assert_eq!(table.poll(token, |_| ()), CallPoll::Ready(Ok(ok(b""))));
        let (second, again) = sent(&mut table);
        assert_eq!(again, token, "the slot is used again");
        assert_eq!(table.finish(first, token, ok(b"late")), Ok(None));
        assert_eq!(table.poll(token, |waker| *waker = Some("b")), CallPoll::Pending);
        assert_eq!(table.finish(second, token, ok(b"new")), Ok(Some("b")));
    }

    #[test]
    fn reply_to_unissued_call_id_is_an_error() {
        let mut table = OutboundCalls::<(), ()>::default();
        assert_eq!(table.finish(CallId(1), Token(0), ok(b"")), Err(ProtocolError::UnissuedCallId { id: 1 }));
        assert_eq!(table.finish(CallId(0), Token(0), ok(b"")), Err(ProtocolError::UnissuedCallId { id: 0 }));
        let token = table.reserve();
        assert_eq!(table.finish(CallId(1), token, ok(b"")), Err(ProtocolError::UnissuedCallId { id: 1 }));
    }

    #[test]
    fn abandoned_call_keeps_slot_until_terminal_frame() {
        let mut table = OutboundCalls::<&'static str, ()>::default();
        let (id, token) = sent(&mut table);
        assert_eq!(table.abandon(token), AbandonedCall::Sent(id));
        assert_eq!(table.in_flight(), 1);
        assert_ne!(table.reserve(), token);
        assert_eq!(table.finish(id, token, ok(b"")), Ok(None));
        assert_eq!(table.in_flight(), 0);
        assert_eq!(table.reserve(), token);
    }

    #[test]
    fn lost_connection_ends_sent_calls_and_keeps_queued_ones() {
        let mut table = OutboundCalls::<&'static str, &'static str>::default();
        let (_, early) = sent(&mut table);
        let late = table.reserve();
        table.mark_sent(late, 100);
        let queued = table.reserve();
        for (token, name) in [(early, "early"), (late, "late"), (queued, "queued")] {
            assert_eq!(table.poll(token, |waker| *waker = Some(name)), CallPoll::Pending);
        }
        let mut woken = Vec::new();
        table.end_sent(|_, at| Some(if at >= 50 { "not sent" } else { "unknown" }), |name| woken.push(name));
        assert_eq!(woken, ["early", "late"]);
        assert_eq!(table.poll(early, |_| ()), CallPoll::Ready(Err("unknown")));
        assert_eq!(table.poll(late, |_| ()), CallPoll::Ready(Err("not sent")));
        assert_eq!(table.poll(queued, |_| ()), CallPoll::Pending);
        assert_eq!(table.end_queued(queued, "closed"), Some("queued"));
        assert_eq!(table.poll(queued, |_| ()), CallPoll::Ready(Err("closed")));
        assert_eq!(table.in_flight(), 0);
    }
}
