//! The streams of a connection, by call.
//!
//! Invariant: streams of this side's calls and of the peer's calls are never confused, even if their numbers
//! are equal.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use crate::protocol::frame::{CallId, Token};

use super::receiving::{Receiving, StreamEnd};
use super::sending::Sending;

/// The call to which a stream belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamId {
    /// A call of this side, by its slot, which it has until it ends.
    Ours(Token),
    /// A call of the peer, by its id.
    Theirs(CallId),
}

/// The table of streams. `W` is the waker of a sender or receiver.
#[derive(Debug)]
pub struct Streams<W> {
    sending: HashMap<StreamId, Sending<W>>,
    receiving: HashMap<StreamId, Receiving<W>>,
    /// The senders that wait for room in the output, in order of arrival.
    waiting: VecDeque<StreamId>,
    /// The size of received items that were not taken yet, in bytes.
    held: u64,
}

impl<W> Default for Streams<W> {
    fn default() -> Self {
        Self { sending: HashMap::new(), receiving: HashMap::new(), waiting: VecDeque::new(), held: 0 }
    }
}

impl<W> Streams<W> {
    /// Whether there are no streams.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sending.is_empty() && self.receiving.is_empty()
    }

    /// The size of received items that were not taken yet, over all streams, in bytes.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Records that the size held by one stream has changed.
    pub fn note_change(&mut self, before: u64, after: u64) {
        self.held = self.held.saturating_sub(before).saturating_add(after);
    }

    /// Adds a sending half.
    pub fn send(&mut self, id: StreamId, half: Sending<W>) {
        self.sending.insert(id, half);
    }

    /// Adds a receiving half.
    pub fn receive(&mut self, id: StreamId, half: Receiving<W>) {
        self.receiving.insert(id, half);
    }

    /// The sending half, if it is open.
    pub fn sending(&mut self, id: StreamId) -> Option<&mut Sending<W>> {
        self.sending.get_mut(&id)
    }

    /// The receiving half, if it is open.
    pub fn receiving(&mut self, id: StreamId) -> Option<&mut Receiving<W>> {
        self.receiving.get_mut(&id)
    }

    /// Removes the sending half.
    pub fn end_sending(&mut self, id: StreamId) -> Option<Sending<W>> {
        self.sending.remove(&id)
    }

    /// Removes the receiving half.
    pub fn end_receiving(&mut self, id: StreamId) -> Option<Receiving<W>> {
        let half = self.receiving.remove(&id);
        self.held = self.held.saturating_sub(half.as_ref().map_or(0, Receiving::held));
        half
    }

    /// Removes the streams of a call that has ended. Returns the wakers of waiting senders and receivers.
    pub fn close(&mut self, id: StreamId) -> impl Iterator<Item = W> + use<W> {
        let sender = self.sending.remove(&id).and_then(|mut half| half.take_waker());
        let receiver = self.end_receiving(id).and_then(|mut half| half.take_waker());
        sender.into_iter().chain(receiver)
    }

    /// Adds a sender to the queue of those that wait for room in the output.
    pub fn wait_for_room(&mut self, id: StreamId) {
        if let Some(half) = self.sending.get_mut(&id)
            && !std::mem::replace(&mut half.is_waiting, true)
        {
            self.waiting.push_back(id);
        }
    }

    /// Whether a sender waits for room in the output.
    #[inline]
    #[must_use]
    pub fn has_waiters(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes the waker of the first sender that still waits.
    pub fn next_waiter(&mut self) -> Option<W> {
        while let Some(id) = self.waiting.pop_front() {
            let Some(half) = self.sending.get_mut(&id) else { continue };
            half.is_waiting = false;
            if let Some(waker) = half.take_waker() {
                return Some(waker);
            }
        }
        None
    }

    /// The peer sends no more frames: unfinished streams of its calls end as broken, with this message.
    /// Returns the wakers of their receivers and senders.
    pub fn end_input(&mut self, message: &'static [u8]) -> Vec<W> {
        let broken = StreamEnd::Broken(Bytes::from_static(message));
        let mut wakers = Vec::new();
        for (id, half) in &mut self.receiving {
            if let StreamId::Theirs(call) = id
                && !half.is_finished()
            {
                wakers.extend(half.finish(broken.clone(), call.0).ok().flatten());
            }
        }
        for (id, half) in &mut self.sending {
            if matches!(id, StreamId::Theirs(_)) {
                wakers.extend(half.take_waker());
            }
        }
        wakers
    }

    /// Removes the streams of the peer's calls when the connection has ended. Returns the wakers of their
    /// senders and receivers. Streams of this side's calls stay until their callers have received the end.
    pub fn close_theirs(&mut self) -> Vec<W> {
        let mut wakers = Vec::new();
        self.waiting.clear();
        self.sending.retain(|id, half| {
            let is_ours = matches!(id, StreamId::Ours(_));
            half.is_waiting = false;
            if !is_ours {
                wakers.extend(half.take_waker());
            }
            is_ours
        });
        self.receiving.retain(|id, half| {
            let is_ours = matches!(id, StreamId::Ours(_));
            if !is_ours {
                self.held = self.held.saturating_sub(half.held());
                wakers.extend(half.take_waker());
            }
            is_ours
        });
        wakers
    }
}
