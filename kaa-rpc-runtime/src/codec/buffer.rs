//! The output of a connection: plain bytes, and large shared byte strings spliced into them, which are never
//! copied.
//!
//! Invariants
//! - The `at` of a splice is an index into `plain`, at least `start`, and never less than that of the splice
//!   before. The splice precedes the plain byte at that index. Splices are never empty.
//! - All bytes before `start` have been written to the transport. Only [`Buffer::advance`] changes `start` or
//!   moves plain bytes, so a [`Position`] is valid until then, even if bytes are appended or spliced in.
//! - `shared` is the sum of the splices' lengths.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::ops::Add;

use bytes::{Buf, Bytes};

/// Byte strings of this size or more are spliced in. Smaller ones are copied: a copy is cheaper than another
/// segment in the vectored write, and a small slice may keep a large buffer alive.
const SPLICE_FROM: usize = 16 * 1024;

/// The memory in bytes that an empty buffer may keep without limit in time.
const KEEP: usize = 64 * 1024;

/// A buffer shrinks after it was emptied this many times in a row with at most a quarter of its capacity
/// used. Returning memory to the system and faulting it in again costs more than writing a large message, so
/// a busy buffer does not shrink.
const SMALL_USES: u8 = 32;

/// Bytes that wait to be written to a transport.
#[derive(Debug, Default)]
pub struct Buffer {
    plain: Vec<u8>,
    start: usize,
    splices: VecDeque<Splice>,
    shared: usize,
    /// The maximum number of plain bytes since the buffer was last empty.
    peak: usize,
    small_uses: u8,
}

#[derive(Debug)]
struct Splice {
    at: usize,
    bytes: Bytes,
}

/// A position in a [`Buffer`], for [`Buffer::truncate`] and [`Buffer::patch`]. It is valid until the next
/// [`Buffer::advance`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    plain: usize,
    splices: usize,
    total: usize,
}

/// The position this many bytes later. All of these bytes must have been appended by [`Buffer::put_slice`].
impl Add<usize> for Position {
    type Output = Self;

    fn add(self, bytes: usize) -> Self {
        Self { plain: self.plain + bytes, splices: self.splices, total: self.total + bytes }
    }
}

impl Buffer {
    /// Creates an empty buffer. It allocates no memory.
    #[must_use]
    pub const fn new() -> Self {
        Self { plain: Vec::new(), start: 0, splices: VecDeque::new(), shared: 0, peak: 0, small_uses: 0 }
    }

    /// The number of bytes that wait, including shared ones.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.plain.len() - self.start + self.shared
    }

    /// Whether no bytes wait.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that the buffer itself has allocated, in bytes.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.plain.capacity()
    }

    /// The position of the next byte.
    #[inline]
    #[must_use]
    pub fn position(&self) -> Position {
        Position { plain: self.plain.len(), splices: self.splices.len(), total: self.len() }
    }

    /// The number of bytes, including shared ones, that were appended since `position`.
    #[inline]
    #[must_use]
    pub fn written_since(&self, position: Position) -> usize {
        self.len().saturating_sub(position.total)
    }

    /// Removes everything that was appended since `position`.
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

    /// Appends zeros, which the caller overwrites in place.
    #[inline]
    pub(super) fn put_zeros(&mut self, count: usize) -> &mut [u8] {
        let start = self.plain.len();
        self.plain.resize(start + count, 0);
        self.plain.get_mut(start..).unwrap_or_default()
    }

    /// Appends `bytes`. Large byte strings are not copied.
    pub fn put_shared(&mut self, bytes: Bytes) {
        if bytes.len() < SPLICE_FROM {
            self.put_slice(&bytes);
        } else {
            self.shared += bytes.len();
            self.splices.push_back(Splice { at: self.plain.len(), bytes });
        }
    }

    /// Moves everything from `other` to the end. `other` is then empty and keeps its memory.
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
        other.note_empty();
    }

    /// Removes and returns everything that was appended since `position`.
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

    /// Overwrites bytes at `at`, which [`Buffer::put_slice`] has appended: usually a header whose fields were
    /// not known at that time.
    #[inline]
    pub fn patch(&mut self, at: Position, bytes: &[u8]) {
        let target = self.plain.get_mut(at.plain..).and_then(|tail| tail.get_mut(..bytes.len()));
        debug_assert!(target.is_some(), "patch beyond the end");
        if let Some(target) = target {
            target.copy_from_slice(bytes);
        }
    }

    /// Replaces the byte at `at` with `bytes`, and moves all following bytes.
    pub(super) fn widen(&mut self, at: Position, bytes: &[u8]) {
        let more = bytes.len().saturating_sub(1);
        let end = self.plain.len();
        self.plain.resize(end + more, 0);
        let after = at.plain + 1;
        if after <= end {
            self.plain.copy_within(after..end, after + more);
        }
        for splice in self.splices.iter_mut().skip(at.splices) {
            splice.at += more;
        }
        self.patch(at, bytes);
    }

    /// Fills `slices` with the first waiting segments, for one vectored write. Returns their number.
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

    /// Removes the first `count` bytes, which have been written. A count over [`Buffer::len`] empties the
    /// buffer.
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
            self.note_empty();
        } else if self.start >= KEEP && self.start > self.plain.len() / 2 {
            self.compact();
        }
    }

    /// Returns all waiting bytes in one vector.
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

    /// Releases memory when the connection is idle. Waiting bytes are kept.
    pub fn reclaim(&mut self) {
        self.compact();
        self.small_uses = 0;
        if self.plain.capacity() > KEEP {
            self.plain.shrink_to(KEEP);
        }
        self.splices.shrink_to(0);
    }

    fn note_empty(&mut self) {
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

    /// Moves the waiting bytes to the front. At least as many bytes have been written as are moved, so the
    /// cost per written byte is constant.
    fn compact(&mut self) {
        let start = std::mem::take(&mut self.start);
        self.plain.drain(..start);
        for splice in &mut self.splices {
            splice.at -= start;
        }
    }
}
