//! My questions: the calls this side has made, each in a slot until its one terminal frame has come.
//!
//! Invariants: a token names a slot and the call id its generation, so that a late answer misses; ids only grow;
//! a slot whose caller has gone stays taken until the peer's terminal frame; a caller is told its end exactly once.

use bytes::Bytes;

use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{CallId, Parent, Status, Token};

/// The end of a call as the peer told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// How it ended.
    pub status: Status,
    /// What the status says the payload is.
    pub payload: Bytes,
}

/// The table. `W` is what wakes a waiting caller, `X` an end that this side makes up itself (a lost connection).
#[derive(Debug)]
pub struct Outgoing<W, X> {
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
    /// Has a slot but no id yet: it has not left.
    Queued(Option<W>),
    Waiting(Option<W>),
    Abandoned,
    Ended(Result<Terminal, X>),
}

/// What a caller finds in its slot.
#[derive(Debug, PartialEq, Eq)]
pub enum Poll<X> {
    /// No end yet; the waker is kept.
    Pending,
    /// The end; the slot is free again.
    Ready(Result<Terminal, X>),
    /// The slot is not the caller's: it asked again after its end.
    Gone,
}

/// How a call stands whose caller is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It has not left yet.
    Queued,
    /// It is with the peer, under this id.
    Waiting(CallId),
    /// It has ended, or the caller has gone.
    Over,
}

/// What becomes of a call whose caller has gone.
#[derive(Debug, PartialEq, Eq)]
pub enum Abandoned {
    /// It had not left; it never will.
    Unsent,
    /// It is with the peer: tell it.
    Sent(CallId),
    /// It had ended already.
    Ended,
}

impl<W, X> Default for Outgoing<W, X> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), last_id: 0, in_flight: 0 }
    }
}

impl<W, X> Outgoing<W, X> {
    /// Calls that have left and have no terminal frame yet.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The next call id of this direction, for a Call or a Oneway.
    pub fn issue_id(&mut self) -> CallId {
        self.last_id += 1;
        CallId(self.last_id)
    }

    /// Takes a slot for a call that has no id yet.
    pub fn enter(&mut self) -> Token {
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

    /// The call leaves: it gets its id. `sent_at` is where its frame begins in the connection's output.
    pub fn depart(&mut self, token: Token, sent_at: u64) -> CallId {
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

    /// The id and the slot that [`Outgoing::leave`] will give to the next call.
    #[must_use]
    pub fn next(&self) -> (CallId, Token) {
        let token = self.free.last().copied();
        (
            CallId(self.last_id + 1),
            Token(token.unwrap_or_else(|| u32::try_from(self.slots.len()).unwrap_or(u32::MAX))),
        )
    }

    /// A call leaves at once, its frame beginning at `sent_at` of the connection's output.
    pub fn leave(&mut self, sent_at: u64, waker: W) -> Token {
        let token = self.enter();
        self.depart(token, sent_at);
        if let Some(slot) = self.slot_mut(token) {
            slot.state = State::Waiting(Some(waker));
        }
        token
    }

    /// Whether this is an unanswered call, as a nested call's parent must be.
    #[must_use]
    pub fn is_unanswered(&self, parent: &Parent) -> bool {
        self.slot(parent.token).is_some_and(|slot| {
            slot.id == parent.id && matches!(slot.state, State::Waiting(_) | State::Abandoned)
        })
    }

    /// How a call of a caller that is still there stands.
    #[must_use]
    pub fn made(&self, token: Token) -> Made {
        match self.slot(token) {
            Some(Slot { id, state: State::Waiting(_), .. }) => Made::Waiting(*id),
            Some(Slot { state: State::Queued(_), .. }) => Made::Queued,
            _ => Made::Over,
        }
    }

    /// Whether this is an unanswered call whose caller has gone.
    #[must_use]
    pub fn is_abandoned(&self, id: CallId, token: Token) -> bool {
        self.slot(token).is_some_and(|slot| slot.id == id && matches!(slot.state, State::Abandoned))
    }

    /// Whether no call has had this id so far.
    #[must_use]
    pub fn was_never_made(&self, id: CallId) -> bool {
        id.0 > self.last_id || id.0 == 0
    }

    /// The caller looks into its slot; `keep` renews or replaces the waker that is kept there.
    pub fn poll(&mut self, token: Token, keep: impl FnOnce(&mut Option<W>)) -> Poll<X> {
        let Some(slot) = self.slot_mut(token) else { return Poll::Gone };
        match &mut slot.state {
            State::Queued(waker) | State::Waiting(waker) => {
                keep(waker);
                Poll::Pending
            }
            State::Ended(_) => match std::mem::replace(&mut slot.state, State::Free) {
                State::Ended(end) => {
                    self.free.push(token.0);
                    Poll::Ready(end)
                }
                _ => Poll::Gone,
            },
            State::Free | State::Abandoned => Poll::Gone,
        }
    }

    /// The caller has gone.
    pub fn abandon(&mut self, token: Token) -> Abandoned {
        let Some(slot) = self.slot_mut(token) else { return Abandoned::Ended };
        match slot.state {
            State::Queued(_) => {
                slot.state = State::Free;
                self.free.push(token.0);
                Abandoned::Unsent
            }
            State::Waiting(_) => {
                slot.state = State::Abandoned;
                Abandoned::Sent(slot.id)
            }
            State::Ended(_) => {
                slot.state = State::Free;
                self.free.push(token.0);
                Abandoned::Ended
            }
            State::Free | State::Abandoned => Abandoned::Ended,
        }
    }

    /// The peer's terminal frame has come. Returns who waits for it; nobody, if the caller has gone.
    ///
    /// # Errors
    /// [`ProtocolError::UnissuedCallId`] for a call that was never made.
    pub fn finish(
        &mut self,
        id: CallId,
        token: Token,
        terminal: Terminal,
    ) -> Result<Option<W>, ProtocolError> {
        if self.was_never_made(id) {
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

    /// This side ends one queued call itself.
    pub fn end_queued(&mut self, token: Token, end: X) -> Option<W> {
        let slot = self.slot_mut(token)?;
        let State::Queued(waker) = &mut slot.state else { return None };
        let waker = waker.take();
        slot.state = State::Ended(Err(end));
        waker
    }

    /// The connection is gone: every call that had left ends, as `end` says of its id and the place in the output
    /// where its frame began. Queued calls stay.
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

    fn sent<X>(table: &mut Outgoing<&'static str, X>) -> (CallId, Token) {
        let token = table.enter();
        (table.depart(token, 0), token)
    }

    #[test]
    fn an_answer_reaches_the_waiting_caller_once() {
        let mut table = Outgoing::<_, ()>::default();
        let (id, token) = sent(&mut table);
        assert_eq!(table.poll(token, |waker| *waker = Some("me")), Poll::Pending);
        assert_eq!(table.finish(id, token, ok(b"x")), Ok(Some("me")));
        assert_eq!(table.in_flight(), 0);
        assert_eq!(table.finish(id, token, ok(b"y")), Ok(None), "a second answer is ignored");
        assert_eq!(table.poll(token, |_| ()), Poll::Ready(Ok(ok(b"x"))));
        assert_eq!(table.poll(token, |_| ()), Poll::Gone);
    }

    #[test]
    fn a_late_answer_misses_the_generation() {
        let mut table = Outgoing::<_, ()>::default();
        let (first, token) = sent(&mut table);
        assert_eq!(table.finish(first, token, ok(b"")), Ok(None));
        assert_eq!(table.poll(token, |_| ()), Poll::Ready(Ok(ok(b""))));
        let (second, again) = sent(&mut table);
        assert_eq!(again, token, "the slot is used again");
        assert_eq!(table.finish(first, token, ok(b"late")), Ok(None));
        assert_eq!(table.poll(token, |waker| *waker = Some("b")), Poll::Pending);
        assert_eq!(table.finish(second, token, ok(b"new")), Ok(Some("b")));
    }

    #[test]
    fn answers_to_calls_never_made_are_fatal() {
        let mut table = Outgoing::<(), ()>::default();
        assert_eq!(table.finish(CallId(1), Token(0), ok(b"")), Err(ProtocolError::UnissuedCallId { id: 1 }));
        assert_eq!(table.finish(CallId(0), Token(0), ok(b"")), Err(ProtocolError::UnissuedCallId { id: 0 }));
        let token = table.enter();
        assert_eq!(table.finish(CallId(1), token, ok(b"")), Err(ProtocolError::UnissuedCallId { id: 1 }));
    }

    #[test]
    fn an_abandoned_call_keeps_its_slot_until_its_terminal() {
        let mut table = Outgoing::<&'static str, ()>::default();
        let (id, token) = sent(&mut table);
        assert_eq!(table.abandon(token), Abandoned::Sent(id));
        assert_eq!(table.in_flight(), 1);
        assert_ne!(table.enter(), token);
        assert_eq!(table.finish(id, token, ok(b"")), Ok(None));
        assert_eq!(table.in_flight(), 0);
        assert_eq!(table.enter(), token);
    }

    #[test]
    fn a_lost_connection_ends_what_had_left_and_keeps_what_had_not() {
        let mut table = Outgoing::<&'static str, &'static str>::default();
        let (_, early) = sent(&mut table);
        let late = table.enter();
        table.depart(late, 100);
        let queued = table.enter();
        for (token, name) in [(early, "early"), (late, "late"), (queued, "queued")] {
            assert_eq!(table.poll(token, |waker| *waker = Some(name)), Poll::Pending);
        }
        let mut woken = Vec::new();
        table.end_sent(|_, at| Some(if at >= 50 { "not sent" } else { "unknown" }), |name| woken.push(name));
        assert_eq!(woken, ["early", "late"]);
        assert_eq!(table.poll(early, |_| ()), Poll::Ready(Err("unknown")));
        assert_eq!(table.poll(late, |_| ()), Poll::Ready(Err("not sent")));
        assert_eq!(table.poll(queued, |_| ()), Poll::Pending);
        assert_eq!(table.end_queued(queued, "closed"), Some("queued"));
        assert_eq!(table.poll(queued, |_| ()), Poll::Ready(Err("closed")));
        assert_eq!(table.in_flight(), 0);
    }
}
