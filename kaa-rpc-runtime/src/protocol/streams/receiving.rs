//! The receiving half of a stream.
//!
//! Invariants (`docs/wire.md`, clauses 7.4 to 7.6): the received items never exceed the window by more than
//! one frame. Credit is granted only for items that were taken. No item follows the end.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::protocol::error::ProtocolError;
use crate::protocol::frame::HEADER_LENGTH;

use super::detail::StreamDetail;

/// Payloads below this size are copied into one buffer. A small payload would otherwise keep the whole read
/// buffer alive.
const COPY_BELOW: usize = 4 * 1024;

/// The received items of a stream that were not taken yet. `W` is the waker of the receiver.
#[derive(Debug)]
pub struct Receiving<W> {
    window: u32,
    credit: i64,
    whole: VecDeque<(Bytes, u64)>,
    /// Small payloads, which follow all payloads in `whole`.
    small: BytesMut,
    small_cost: u64,
    /// The cost of the items that the receiver is processing.
    taken: u64,
    /// The cost of processed items for which no credit was granted yet.
    done: u64,
    end: Option<StreamEnd>,
    /// This side has ended the stream. Further items are discarded.
    is_discarding: bool,
    /// The size of the items that were not taken yet, in bytes.
    held: u64,
    waker: Option<W>,
}

/// How a stream of arguments has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamEnd {
    /// The stream has no more items.
    Finished,
    /// The stream has failed with this message.
    Broken(Bytes),
}

/// The result of taking items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Complete items in sequence, each with its length in front.
    Items(Bytes),
    /// All items were taken, and the stream has ended.
    End(StreamEnd),
    /// No item has arrived yet.
    Nothing,
}

impl<W> Receiving<W> {
    /// Creates the half with the window that this side has announced.
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
            is_discarding: false,
            held: 0,
            waker: None,
        }
    }

    /// Stores received items. Returns the waker of the receiver.
    ///
    /// # Errors
    /// [`ProtocolError::ItemsBeyondCredit`], [`ProtocolError::ItemsAfterEnd`], or
    /// [`ProtocolError::Misplaced`] for a frame without items.
    pub fn receive(&mut self, payload: Bytes, call: u64) -> Result<Option<W>, ProtocolError> {
        if self.is_discarding {
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

    /// The sender has ended the stream. Returns the waker of the receiver.
    ///
    /// # Errors
    /// [`ProtocolError::ItemsAfterEnd`] if the stream has already ended.
    pub fn finish(&mut self, end: StreamEnd, call: u64) -> Result<Option<W>, ProtocolError> {
        if self.is_discarding {
            return Ok(None);
        }
        if self.end.is_some() {
            return Err(ProtocolError::ItemsAfterEnd { id: call });
        }
        self.end = Some(end);
        Ok(self.waker.take())
    }

    /// Ends the stream on this side. Items that were not taken, and those that still arrive, are discarded.
    /// Returns the waker of the receiver.
    pub fn abort(&mut self, message: &'static [u8]) -> Option<W> {
        self.whole.clear();
        self.small.clear();
        self.held = 0;
        self.is_discarding = true;
        self.end = Some(StreamEnd::Broken(Bytes::from_static(message)));
        self.waker.take()
    }

    /// The size of the items that were not taken yet, in bytes.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held
    }

    /// Whether the stream has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.end.is_some()
    }

    /// Takes the next items. The receiver has then finished with those it took before.
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

    /// Takes the credit to grant to the sender now, in bytes. Less than half a window is not worth a frame.
    pub fn take_grant(&mut self) -> Option<u32> {
        if self.end.is_some() || self.done < u64::from(self.window.div_ceil(2)) {
            return None;
        }
        let grant = u32::try_from(self.done).unwrap_or(u32::MAX).min(StreamDetail::MAX);
        self.done -= u64::from(grant);
        self.credit = self.credit.saturating_add(i64::from(grant));
        Some(grant)
    }

    /// Updates the waker of the receiver.
    pub fn keep(&mut self, keep: impl FnOnce(&mut Option<W>)) {
        keep(&mut self.waker);
    }

    /// Takes the waker of the receiver, if it waits.
    pub fn take_waker(&mut self) -> Option<W> {
        self.waker.take()
    }
}
