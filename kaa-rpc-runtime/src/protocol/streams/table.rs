//! The streams of a connection, by call.
//!
//! Invariant: streams of our calls and of the peer's are never taken for each other, whatever their numbers.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use crate::protocol::frame::{CallId, Token};

use super::receiving::{Receiving, StreamEnd};
use super::sending::Sending;

/// The call that a stream belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamId {
    /// A call of this side, by the slot that it holds until it has ended.
    Ours(Token),
    /// A call of the peer.
    Theirs(CallId),
}

/// The table. `W` is what wakes a sender or a receiver.
#[derive(Debug)]
pub struct Streams<W> {
    sending: HashMap<StreamId, Sending<W>>,
    receiving: HashMap<StreamId, Receiving<W>>,
    /// Senders who wait for room in the output, in the order in which they came.
    in_line: VecDeque<StreamId>,
    /// Bytes that have come and were not taken.
    held: u64,
}

impl<W> Default for Streams<W> {
    fn default() -> Self {
        Self { sending: HashMap::new(), receiving: HashMap::new(), in_line: VecDeque::new(), held: 0 }
    }
}

impl<W> Streams<W> {
    /// Whether there are none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sending.is_empty() && self.receiving.is_empty()
    }

    /// Bytes that have come and were not taken, of all streams together.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held
    }

    /// What one stream holds has changed.
    pub fn note_change(&mut self, before: u64, after: u64) {
        self.held = self.held.saturating_sub(before).saturating_add(after);
    }

    /// This side will send.
    pub fn send(&mut self, id: StreamId, half: Sending<W>) {
        self.sending.insert(id, half);
    }

    /// This side will receive.
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

    /// Nothing more is sent.
    pub fn end_sending(&mut self, id: StreamId) -> Option<Sending<W>> {
        self.sending.remove(&id)
    }

    /// Nothing more is taken.
    pub fn end_receiving(&mut self, id: StreamId) -> Option<Receiving<W>> {
        let half = self.receiving.remove(&id);
        self.held = self.held.saturating_sub(half.as_ref().map_or(0, Receiving::held));
        half
    }

    /// The call has ended. Returns who still waits for its streams.
    pub fn close(&mut self, id: StreamId) -> impl Iterator<Item = W> + use<W> {
        let sender = self.sending.remove(&id).and_then(|mut half| half.take_waker());
        let receiver = self.end_receiving(id).and_then(|mut half| half.take_waker());
        sender.into_iter().chain(receiver)
    }

    /// A sender that has found no room in the output stands in line.
    pub fn stand_in_line(&mut self, id: StreamId) {
        if let Some(half) = self.sending.get_mut(&id)
            && !std::mem::replace(&mut half.is_in_line, true)
        {
            self.in_line.push_back(id);
        }
    }

    /// Whether anybody stands in line.
    #[inline]
    #[must_use]
    pub fn has_line(&self) -> bool {
        !self.in_line.is_empty()
    }

    /// The first in line who is still there.
    pub fn next_in_line(&mut self) -> Option<W> {
        while let Some(id) = self.in_line.pop_front() {
            let Some(half) = self.sending.get_mut(&id) else { continue };
            half.is_in_line = false;
            if let Some(waker) = half.take_waker() {
                return Some(waker);
            }
        }
        None
    }

    /// The peer sends nothing more: streams of its calls that it has not ended are broken, with this message. Returns who
    /// waits for their items, or for credit.
    pub fn end_input(&mut self, message: &'static [u8]) -> Vec<W> {
        let broken = StreamEnd::Broken(Bytes::from_static(message));
        let mut waiting = Vec::new();
        for (id, half) in &mut self.receiving {
            if let StreamId::Theirs(call) = id
                && !half.is_finished()
            {
                waiting.extend(half.finish(broken.clone(), call.0).ok().flatten());
            }
        }
        for (id, half) in &mut self.sending {
            if matches!(id, StreamId::Theirs(_)) {
                waiting.extend(half.take_waker());
            }
        }
        waiting
    }

    /// The connection is gone, and the peer's calls with it. Returns who waits for their streams. Those of our own calls
    /// stay until their callers have seen the end.
    pub fn close_theirs(&mut self) -> Vec<W> {
        let mut waiting = Vec::new();
        self.in_line.clear();
        self.sending.retain(|id, half| {
            let is_ours = matches!(id, StreamId::Ours(_));
            half.is_in_line = false;
            if !is_ours {
                waiting.extend(half.take_waker());
            }
            is_ours
        });
        self.receiving.retain(|id, half| {
            let is_ours = matches!(id, StreamId::Ours(_));
            if !is_ours {
                self.held = self.held.saturating_sub(half.held());
                waiting.extend(half.take_waker());
            }
            is_ours
        });
        waiting
    }
}
