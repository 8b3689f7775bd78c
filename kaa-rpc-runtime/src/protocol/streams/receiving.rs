//! The half of a stream that receives.
//!
//! Invariants (`docs/wire.md`, clauses 7.4 to 7.6): what is held is never more than the window and one frame; credit is
//! given back for what was taken only; after the end nothing comes.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::protocol::error::ProtocolError;
use crate::protocol::frame::HEADER_LENGTH;

use super::detail::StreamDetail;

/// Payloads below this size are copied together: a small one that is kept would pin all that was read with it.
const COPY_BELOW: usize = 4 * 1024;

/// What came of a stream and has not been taken. `W` is what wakes its receiver.
#[derive(Debug)]
pub struct Receiving<W> {
    window: u32,
    credit: i64,
    whole: VecDeque<(Bytes, u64)>,
    /// Small payloads, behind all whole ones.
    small: BytesMut,
    small_cost: u64,
    /// What the receiver has at hand.
    taken: u64,
    /// What it is done with, and the sender does not know of yet.
    done: u64,
    end: Option<StreamEnd>,
    /// This side has ended it: whatever still comes is passed over.
    is_deaf: bool,
    /// Bytes that have come and were not taken.
    held: u64,
    waker: Option<W>,
}

/// How the sender has ended a stream of arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEnd {
    /// There are no more items.
    Finished,
    /// It has failed, with this message.
    Broken(Bytes),
}

/// What a receiver finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Whole items, one behind the other, each with its length in front.
    Items(Bytes),
    /// All items were taken, and no more will come.
    End(StreamEnd),
    /// Nothing yet.
    Nothing,
}

impl<W> Receiving<W> {
    /// A stream whose sender was told this window.
    #[must_use]
    pub fn new(window: u32) -> Self {
        Self {
            window,
            credit: i64::from(window),
            whole: VecDeque::new(),
            small: BytesMut::new(),
            small_cost: 0,
            taken: 0,
            done: 0,
            end: None,
            is_deaf: false,
            held: 0,
            waker: None,
        }
    }

    /// Items have come. Returns who waits for them.
    ///
    /// # Errors
    /// [`ProtocolError::ItemsBeyondCredit`], [`ProtocolError::ItemsAfterEnd`], and a frame without items.
    pub fn receive(&mut self, payload: Bytes, call: u64) -> Result<Option<W>, ProtocolError> {
        if self.is_deaf {
            return Ok(None);
        }
        if self.end.is_some() {
            return Err(ProtocolError::ItemsAfterEnd { id: call });
        }
        if payload.is_empty() {
            return Err(ProtocolError::Misplaced { frame: "StreamItem" });
        }
        if self.credit <= 0 {
            return Err(ProtocolError::ItemsBeyondCredit { id: call });
        }
        let cost = payload.len().saturating_add(HEADER_LENGTH);
        self.credit = self.credit.saturating_sub(i64::try_from(cost).unwrap_or(i64::MAX));
        let cost = u64::try_from(cost).unwrap_or(u64::MAX);
        self.held = self.held.saturating_add(u64::try_from(payload.len()).unwrap_or(u64::MAX));
        if payload.len() < COPY_BELOW {
            self.small.extend_from_slice(&payload);
            self.small_cost = self.small_cost.saturating_add(cost);
        } else {
            self.seal_small();
            self.whole.push_back((payload, cost));
        }
        Ok(self.waker.take())
    }

    fn seal_small(&mut self) {
        if !self.small.is_empty() {
            let cost = std::mem::take(&mut self.small_cost);
            self.whole.push_back((self.small.split().freeze(), cost));
        }
    }

    /// The sender has ended the stream. Returns who waits for items.
    ///
    /// # Errors
    /// [`ProtocolError::ItemsAfterEnd`] if it has done so before.
    pub fn finish(&mut self, end: StreamEnd, call: u64) -> Result<Option<W>, ProtocolError> {
        if self.is_deaf {
            return Ok(None);
        }
        if self.end.is_some() {
            return Err(ProtocolError::ItemsAfterEnd { id: call });
        }
        self.end = Some(end);
        Ok(self.waker.take())
    }

    /// This side ends the stream: what was not taken is forgotten, and what still comes is passed over. Returns who waits
    /// for items.
    pub fn break_off(&mut self, message: &'static [u8]) -> Option<W> {
        self.whole.clear();
        self.small.clear();
        self.held = 0;
        self.is_deaf = true;
        self.end = Some(StreamEnd::Broken(Bytes::from_static(message)));
        self.waker.take()
    }

    /// Bytes that have come and were not taken.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Whether the sender has ended the stream.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.end.is_some()
    }

    /// The next items. Whoever asks is done with those it took before.
    pub fn take(&mut self) -> Taken {
        self.done = self.done.saturating_add(std::mem::take(&mut self.taken));
        if self.whole.is_empty() {
            self.seal_small();
        }
        match (self.whole.pop_front(), &self.end) {
            (Some((items, cost)), _) => {
                self.taken = cost;
                self.held = self.held.saturating_sub(u64::try_from(items.len()).unwrap_or(u64::MAX));
                Taken::Items(items)
            }
            (None, Some(end)) => Taken::End(end.clone()),
            (None, None) => Taken::Nothing,
        }
    }

    /// Credit to be given to the sender now, in bytes: nothing before it is worth a frame.
    pub fn take_grant(&mut self) -> Option<u32> {
        if self.end.is_some() || self.done < u64::from(self.window.div_ceil(2)) {
            return None;
        }
        let grant = u32::try_from(self.done).unwrap_or(u32::MAX).min(StreamDetail::LARGEST);
        self.done -= u64::from(grant);
        self.credit = self.credit.saturating_add(i64::from(grant));
        Some(grant)
    }

    /// Keeps what wakes the receiver.
    pub fn keep(&mut self, keep: impl FnOnce(&mut Option<W>)) {
        keep(&mut self.waker);
    }

    /// What wakes the receiver, if it waits.
    pub fn take_waker(&mut self) -> Option<W> {
        self.waker.take()
    }
}
