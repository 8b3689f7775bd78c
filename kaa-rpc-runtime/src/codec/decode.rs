//! Reads bytes of one message, within its memory budget and its limit on depth.
//!
//! Invariants
//! - `rest` is always a part of the payload: the bytes left in the innermost struct or variant.
//! - Memory is charged before it is allocated.
//! - The depth counts the structs, variants, options, sequences, sets and maps around a value. A recursive
//!   type takes two of these per level (a struct, and the option or sequence that holds the next one), so a
//!   depth of 64 allows 128.

use bytes::Bytes;

use super::error::{DecodeError, DecodeErrorKind};
use super::unknown::UnknownVariant;

/// The default limit on the depth of values that are decoded, and the limit on values that are encoded.
pub(super) const DEPTH: u8 = 64;

/// Byte strings of this size or more share the payload's memory. Smaller ones are copied.
const SHARE_FROM: usize = 4 * 1024;

/// A shared byte string may keep at most this many times its own size in memory. Otherwise it is copied: a
/// stored thumbnail must not keep the whole page that it came with.
const MAX_PIN_FACTOR: usize = 16;

/// The overhead of a heap allocation, for the budget.
const ALLOCATION_OVERHEAD: usize = 16;

/// Limits on decoding one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// The maximum memory of the decoded values in bytes.
    pub memory: usize,
    /// The maximum number of levels of a recursive type; 64 by default.
    pub depth: u8,
}

impl DecodeLimits {
    /// Limits the memory to `memory` bytes, and the depth to its default.
    #[must_use]
    pub const fn new(memory: usize) -> Self {
        Self { memory, depth: DEPTH }
    }
}

impl Default for DecodeLimits {
    /// 64 MiB and a depth of 64.
    fn default() -> Self {
        Self::new(64 * 1024 * 1024)
    }
}

/// The number of nested values that a depth allows.
pub(super) fn levels(depth: u8) -> u16 {
    u16::from(depth) * 2
}

/// Reads the values of one message from its payload.
#[derive(Debug)]
pub struct Decoder<'a> {
    rest: &'a [u8],
    payload: &'a Bytes,
    memory_left: usize,
    levels_left: u16,
    /// Whether the variant that is being decoded was sent with a payload.
    variant_has_payload: bool,
    limits: DecodeLimits,
}

impl<'a> Decoder<'a> {
    /// Creates a decoder at the start of `payload`. Large byte strings will share its memory.
    #[inline]
    #[must_use]
    pub fn new(payload: &'a Bytes, limits: DecodeLimits) -> Self {
        Self {
            rest: payload,
            payload,
            memory_left: limits.memory,
            levels_left: levels(limits.depth),
            variant_has_payload: false,
            limits,
        }
    }

    /// The number of bytes left in the innermost struct or variant.
    #[inline]
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(super) fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    #[inline]
    pub(super) fn take_byte(&mut self) -> Result<u8, DecodeError> {
        let (byte, rest) = self.rest.split_first().ok_or_else(DecodeError::unexpected_end)?;
        self.rest = rest;
        Ok(*byte)
    }

    #[inline]
    pub(super) fn take_slice(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (slice, rest) = self.rest.split_at_checked(count).ok_or_else(DecodeError::unexpected_end)?;
        self.rest = rest;
        Ok(slice)
    }

    #[inline]
    pub(super) fn take_array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or_else(DecodeError::unexpected_end)?;
        self.rest = rest;
        Ok(*array)
    }

    /// Turns `slice`, which is a part of the payload, into an owned byte string: shared or copied.
    pub(super) fn own_bytes(&mut self, slice: &'a [u8]) -> Result<Bytes, DecodeError> {
        if is_shared(slice.len(), self.payload.len()) {
            return Ok(self.payload.slice_ref(slice));
        }
        self.charge(slice.len(), 1)?;
        Ok(Bytes::copy_from_slice(slice))
    }

    /// Charges one allocation of `count` elements of `size` bytes to the message's budget.
    #[inline]
    pub(super) fn charge(&mut self, count: usize, size: usize) -> Result<(), DecodeError> {
        if count == 0 {
            return Ok(());
        }
        let cost = count.saturating_mul(size).saturating_add(ALLOCATION_OVERHEAD);
        match self.memory_left.checked_sub(cost) {
            Some(left) => {
                self.memory_left = left;
                Ok(())
            }
            None => Err(self.over_budget()),
        }
    }

    #[cold]
    fn over_budget(&self) -> DecodeError {
        DecodeError::new(DecodeErrorKind::BudgetExceeded { budget: self.limits.memory })
    }

    /// Runs `body` one level deeper.
    #[inline]
    pub(super) fn nested<T>(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let Some(left) = self.levels_left.checked_sub(1) else { return Err(self.too_deep()) };
        self.levels_left = left;
        let result = body(self);
        self.levels_left = left + 1;
        result
    }

    #[cold]
    fn too_deep(&self) -> DecodeError {
        DecodeError::new(DecodeErrorKind::TooDeep { limit: levels(self.limits.depth) })
    }

    /// Runs `body` on `slice` only, and skips what it does not read.
    #[inline]
    pub(super) fn within<T>(
        &mut self,
        slice: &'a [u8],
        body: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let after = std::mem::replace(&mut self.rest, slice);
        let result = body(self);
        self.rest = after;
        result
    }

    /// Like [`Decoder::within`], for a variant of an open enum.
    #[inline]
    pub(super) fn within_variant<T>(
        &mut self,
        payload: Option<&'a [u8]>,
        body: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        self.variant_has_payload = payload.is_some();
        self.within(payload.unwrap_or_default(), body)
    }

    /// Keeps a variant that this side does not know. Call it first in the body of [`Decoder::variant`].
    pub fn unknown_variant(&mut self, tag: u32) -> UnknownVariant {
        if !self.variant_has_payload {
            return UnknownVariant::new(tag, None);
        }
        let payload = std::mem::take(&mut self.rest);
        let kept = if is_shared(payload.len(), self.payload.len()) {
            self.payload.slice_ref(payload)
        } else {
            // This cannot fail: a copy at most doubles the payload. Its cost is taken from the budget of
            // later values.
            let cost = payload.len().saturating_add(ALLOCATION_OVERHEAD);
            self.memory_left = self.memory_left.saturating_sub(cost);
            Bytes::copy_from_slice(payload)
        };
        UnknownVariant::new(tag, Some(kept))
    }
}

#[inline]
fn is_shared(length: usize, payload: usize) -> bool {
    length >= SHARE_FROM && length.saturating_mul(MAX_PIN_FACTOR) >= payload
}
