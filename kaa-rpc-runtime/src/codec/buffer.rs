//! A connection's output: plain bytes, with large shared byte strings spliced in so that they are never copied.
//!
//! Invariants
//! - A splice's `at` is an index into `plain`, not less than `start` and never decreasing from splice to splice: it
//!   stands before the plain byte of that index. Splices are never empty.
//! - Everything before `start` has been written to the transport; only [`Buffer::advance`] moves it or moves plain
//!   bytes, so a [`Position`] holds until then, whatever is appended or spliced in.
//! - `shared` is the sum of the splices' lengths.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::ops::Add;

use bytes::{Buf, Bytes};

/// Byte strings from this size on are spliced in, smaller ones copied: below it a copy is cheaper than one more
/// segment in the vectored write, and a small slice may pin a large buffer.
const SPLICE_FROM: usize = 16 * 1024;

/// What an empty buffer may keep for ever.
const KEEP: usize = 64 * 1024;

/// So many times in a row a buffer must get by with a quarter of its size before it is released. Giving memory back
/// to the system and faulting it in again costs more than writing a large message, so a busy buffer keeps its size.
const SMALL_USES: u8 = 32;

/// Bytes on their way to a transport.
#[derive(Debug, Default)]
pub struct Buffer {
    plain: Vec<u8>,
    start: usize,
    splices: VecDeque<Splice>,
    shared: usize,
    /// The most plain bytes seen since the buffer was last empty.
    peak: usize,
    small_uses: u8,
}

#[derive(Debug)]
struct Splice {
    at: usize,
    bytes: Bytes,
}

/// A place in a [`Buffer`], to come back to with [`Buffer::truncate`] or [`Buffer::patch`]. It holds until the next
/// [`Buffer::advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    plain: usize,
    splices: usize,
    total: usize,
}

/// The place so many bytes later, where all of them were put by [`Buffer::put_slice`].
impl Add<usize> for Position {
    type Output = Self;

    fn add(self, bytes: usize) -> Self {
        Self { plain: self.plain + bytes, splices: self.splices, total: self.total + bytes }
    }
}

impl Buffer {
    /// An empty buffer, which owns no memory yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { plain: Vec::new(), start: 0, splices: VecDeque::new(), shared: 0, peak: 0, small_uses: 0 }
    }

    /// All bytes that wait, shared ones included.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.plain.len() - self.start + self.shared
    }

    /// Whether nothing waits.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory that the buffer itself holds, whether used or not.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.plain.capacity()
    }

    /// The place of the next byte.
    #[inline]
    #[must_use]
    pub fn position(&self) -> Position {
        Position { plain: self.plain.len(), splices: self.splices.len(), total: self.len() }
    }

    /// How many bytes, shared ones included, were appended since `position`.
    #[inline]
    #[must_use]
    pub fn written_since(&self, position: Position) -> usize {
        self.len().saturating_sub(position.total)
    }

    /// Forgets everything that was appended since `position`.
    pub fn truncate(&mut self, position: Position) {
        self.plain.truncate(position.plain.max(self.start));
        while self.splices.len() > position.splices {
            if let Some(splice) = self.splices.pop_back() {
                self.shared -= splice.bytes.len();
            }
        }
    }

    /// Appends a copy of `bytes`.
    #[inline]
    pub fn put_slice(&mut self, bytes: &[u8]) {
        self.plain.extend_from_slice(bytes);
    }

    /// Appends one byte.
    #[inline]
    pub fn put_byte(&mut self, byte: u8) {
        self.plain.push(byte);
    }

    /// Appends zeros, to be overwritten in place.
    #[inline]
    pub(super) fn put_zeros(&mut self, count: usize) -> &mut [u8] {
        let start = self.plain.len();
        self.plain.resize(start + count, 0);
        self.plain.get_mut(start..).unwrap_or_default()
    }

    /// Appends `bytes` without copying them if they are large.
    pub fn put_shared(&mut self, bytes: Bytes) {
        if bytes.len() < SPLICE_FROM {
            self.put_slice(&bytes);
        } else {
            self.shared += bytes.len();
            self.splices.push_back(Splice { at: self.plain.len(), bytes });
        }
    }

    /// Moves everything behind it; `other` is then empty and keeps its memory for the next time.
    pub(crate) fn append(&mut self, other: &mut Self) {
        let mut from = other.start;
        for splice in other.splices.drain(..) {
            self.plain.extend_from_slice(other.plain.get(from..splice.at).unwrap_or_default());
            from = splice.at;
            self.shared += splice.bytes.len();
            self.splices.push_back(Splice { at: self.plain.len(), bytes: splice.bytes });
        }
        self.plain.extend_from_slice(other.plain.get(from..).unwrap_or_default());
        other.peak = other.peak.max(other.plain.len());
        other.shared = 0;
        other.emptied();
    }

    /// Takes out everything that was appended since `position`.
    pub(crate) fn split_off(&mut self, position: Position) -> Self {
        let at = position.plain.clamp(self.start, self.plain.len());
        let mut splices = self.splices.split_off(position.splices.min(self.splices.len()));
        for splice in &mut splices {
            splice.at = splice.at.saturating_sub(at);
        }
        let shared = splices.iter().map(|splice| splice.bytes.len()).sum();
        self.shared -= shared;
        Self { plain: self.plain.split_off(at), splices, shared, ..Self::new() }
    }

    /// Overwrites bytes that were put by [`Buffer::put_slice`] at `at`, typically a header whose fields were not known
    /// then. All of them must have been put.
    #[inline]
    pub fn patch(&mut self, at: Position, bytes: &[u8]) {
        let target = self.plain.get_mut(at.plain..).and_then(|tail| tail.get_mut(..bytes.len()));
        debug_assert!(target.is_some(), "patched beyond the end");
        if let Some(target) = target {
            target.copy_from_slice(bytes);
        }
    }

    /// Puts `bytes` in the place of the single byte at `at`, moving along what stands behind it.
    pub(super) fn widen(&mut self, at: Position, bytes: &[u8]) {
        let more = bytes.len().saturating_sub(1);
        let end = self.plain.len();
        self.plain.resize(end + more, 0);
        let behind = at.plain + 1;
        if behind <= end {
            self.plain.copy_within(behind..end, behind + more);
        }
        for splice in self.splices.iter_mut().skip(at.splices) {
            splice.at += more;
        }
        self.patch(at, bytes);
    }

    /// Fills `slices` with the first segments that wait, for one vectored write. Returns how many there are.
    pub fn chunks<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut from = self.start;
        let mut splices = self.splices.iter();
        let mut pending: Option<&'a Bytes> = None;
        let mut filled = 0;
        for slot in slices {
            let segment = match pending.take() {
                Some(bytes) => bytes.as_ref(),
                None => match splices.next() {
                    Some(splice) if splice.at == from => splice.bytes.as_ref(),
                    Some(splice) => {
                        let plain = self.plain.get(from..splice.at).unwrap_or_default();
                        from = splice.at;
                        pending = Some(&splice.bytes);
                        plain
                    }
                    None => {
                        let plain = self.plain.get(from..).unwrap_or_default();
                        from = self.plain.len();
                        plain
                    }
                },
            };
            if segment.is_empty() {
                break;
            }
            *slot = IoSlice::new(segment);
            filled += 1;
        }
        filled
    }

    /// Drops the first `count` bytes, which have been written. More than [`Buffer::len`] empties the buffer.
    pub fn advance(&mut self, mut count: usize) {
        self.peak = self.peak.max(self.plain.len());
        loop {
            let until = self.splices.front().map_or(self.plain.len(), |splice| splice.at);
            let plain = count.min(until - self.start);
            self.start += plain;
            count -= plain;
            if count == 0 {
                break;
            }
            let Some(splice) = self.splices.front_mut() else { break };
            let taken = count.min(splice.bytes.len());
            splice.bytes.advance(taken);
            let done = splice.bytes.is_empty();
            self.shared -= taken;
            count -= taken;
            if done {
                self.splices.pop_front();
            }
        }
        if self.is_empty() {
            self.emptied();
        } else if self.start >= KEEP && self.start > self.plain.len() / 2 {
            self.compact();
        }
    }

    /// All that waits, in one piece.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        if self.splices.is_empty() {
            self.plain.drain(..self.start);
            return self.plain;
        }
        let mut bytes = Vec::with_capacity(self.len());
        let mut from = self.start;
        for splice in &self.splices {
            bytes.extend_from_slice(self.plain.get(from..splice.at).unwrap_or_default());
            bytes.extend_from_slice(&splice.bytes);
            from = splice.at;
        }
        bytes.extend_from_slice(self.plain.get(from..).unwrap_or_default());
        bytes
    }

    /// Gives memory back after the connection has been idle. What waits is kept.
    pub fn reclaim(&mut self) {
        self.compact();
        self.small_uses = 0;
        if self.plain.capacity() > KEEP {
            self.plain.shrink_to(KEEP);
        }
        self.splices.shrink_to(0);
    }

    fn emptied(&mut self) {
        self.plain.clear();
        self.start = 0;
        let capacity = self.plain.capacity();
        if capacity <= KEEP || self.peak > capacity / 4 {
            self.small_uses = 0;
        } else {
            self.small_uses += 1;
            if self.small_uses == SMALL_USES {
                self.small_uses = 0;
                self.plain.shrink_to(KEEP.max(self.peak));
            }
        }
        self.peak = 0;
    }

    /// Moves what waits to the front. Each byte is moved at most once per byte written, since at least as much has
    /// been written as is moved.
    fn compact(&mut self) {
        let start = std::mem::take(&mut self.start);
        self.plain.drain(..start);
        for splice in &mut self.splices {
            splice.at -= start;
        }
    }
}
