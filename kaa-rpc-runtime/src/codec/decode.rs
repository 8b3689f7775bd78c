//! Reading values: within the slice of each struct, within the message's memory budget, to a limited depth.
//!
//! Invariants
//! - `rest` is always a part of the payload: the bytes left in the innermost struct or variant.
//! - Memory is charged before it is asked for; no length is believed beyond the bytes that are left.
//! - Depth counts the structs, variants, options, sequences, sets and maps around a value. A recursive type takes two
//!   of these per level (a struct and the option or sequence that holds the next one), so a depth of 64 allows 128.

use bytes::Bytes;

use super::error::{DecodeError, DecodeErrorKind};
use super::leaf::Varint;
use super::unknown::UnknownVariant;
use super::wire::Wire;

/// The depth to which values are read and written, unless said otherwise.
pub(super) const DEPTH: u8 = 64;

/// Byte strings from this size on share the payload's memory, smaller ones are copied.
const SHARE_FROM: usize = 4 * 1024;

/// A shared byte string may pin so many times its own size, more is copied: one thumbnail that is kept should not keep
/// the whole page it came with.
const PINS_AT_MOST: usize = 16;

/// What a heap allocation costs beside its bytes, as far as the budget is concerned.
const ALLOCATION: usize = 16;

/// What one message may cost to decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Bytes of memory that its values may take.
    pub memory: usize,
    /// Levels of a recursive type: 64 unless said otherwise.
    pub depth: u8,
}

impl DecodeLimits {
    /// The usual depth with `memory` bytes.
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

/// The nested values that a depth allows.
pub(super) fn levels(depth: u8) -> u16 {
    u16::from(depth) * 2
}

/// Reads one message's values out of its payload.
#[derive(Debug)]
pub struct Decoder<'a> {
    rest: &'a [u8],
    payload: &'a Bytes,
    memory_left: usize,
    levels_left: u16,
    /// Whether the variant whose body runs came with a payload.
    variant_has_payload: bool,
    limits: DecodeLimits,
}

impl<'a> Decoder<'a> {
    /// A decoder of `payload` from its start. Large byte strings will share its memory.
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

    /// Bytes left in the innermost struct or variant.
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

    /// `slice`, which is a part of the payload, as an owned byte string: shared or copied.
    pub(super) fn own_bytes(&mut self, slice: &'a [u8]) -> Result<Bytes, DecodeError> {
        if shares(slice.len(), self.payload.len()) {
            return Ok(self.payload.slice_ref(slice));
        }
        self.charge(slice.len(), 1)?;
        Ok(Bytes::copy_from_slice(slice))
    }

    /// Reads the length of a string, byte string, sequence, set or map whose elements take at least `min_size` bytes.
    #[inline]
    pub(super) fn take_length(&mut self, bound: u64, min_size: usize) -> Result<usize, DecodeError> {
        let length = u64::take(self)?;
        if length > bound {
            return Err(DecodeError::new(DecodeErrorKind::BoundExceeded { length, bound }));
        }
        match usize::try_from(length) {
            Ok(length) if length <= self.rest.len() / min_size.max(1) => Ok(length),
            _ => Err(DecodeError::unexpected_end()),
        }
    }

    /// Charges one allocation of `count` elements of `size` bytes to the message's budget.
    #[inline]
    pub(super) fn charge(&mut self, count: usize, size: usize) -> Result<(), DecodeError> {
        if count == 0 {
            return Ok(());
        }
        let cost = count.saturating_mul(size).saturating_add(ALLOCATION);
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

    /// Runs `body` within `slice`, and skips what it leaves there.
    #[inline]
    fn within<T>(
        &mut self,
        slice: &'a [u8],
        body: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let after = std::mem::replace(&mut self.rest, slice);
        let result = body(self);
        self.rest = after;
        result
    }

    #[inline]
    fn take_delimited(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.take_length(u64::MAX, 1)?;
        self.take_slice(length)
    }

    #[inline]
    fn nested_field<W: Wire>(&mut self, name: &'static str) -> Result<W::Value, DecodeError> {
        let result = if W::NESTS { self.nested(|decoder| W::decode(decoder)) } else { W::decode(self) };
        result.map_err(|error| error.in_field(name))
    }
}

impl Decoder<'_> {
    /// Reads an extensible struct: `body` sees its bytes only, and what it leaves of them is skipped.
    ///
    /// # Errors
    /// Those of `body`, with the type's `name` as the start of their path.
    #[inline]
    pub fn structure<T>(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        match self.take_delimited() {
            Ok(slice) => self.within(slice, |decoder| body(decoder)),
            Err(error) => Err(error),
        }
        .map_err(|error| error.in_type(name))
    }

    /// Reads a field, or an argument of a method, that has no default.
    ///
    /// # Errors
    /// Those of the value, and the end of the struct's bytes before it; with `name` added to their path.
    #[inline]
    pub fn field<W: Wire>(&mut self, name: &'static str) -> Result<W::Value, DecodeError> {
        if self.rest.is_empty() {
            return Err(missing(name));
        }
        self.nested_field::<W>(name)
    }

    /// Reads a field, or an argument of a method; where the bytes end before it, it takes its default.
    ///
    /// # Errors
    /// Those of the value, with `name` added to their path.
    #[inline]
    pub fn field_or<W: Wire>(
        &mut self,
        name: &'static str,
        default: impl FnOnce() -> W::Value,
    ) -> Result<W::Value, DecodeError> {
        if self.rest.is_empty() { Ok(default()) } else { self.nested_field::<W>(name) }
    }

    /// Passes over the slot of a deleted field, if the bytes have one.
    ///
    /// # Errors
    /// Those of the value in the slot, with `name` added to their path.
    #[inline]
    pub fn tombstone<W: Wire>(&mut self, name: &'static str) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { self.nested_field::<W>(name).map(drop) }
    }

    /// Reads a sealed struct or enum, which has no length of its own.
    ///
    /// # Errors
    /// Those of `body`, with the type's `name` as the start of their path.
    #[inline]
    pub fn sealed<T>(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        body(self).map_err(|error| error.in_type(name))
    }

    /// Reads a field of a sealed struct or enum: all of them are always there.
    ///
    /// # Errors
    /// Those of the value, with `name` added to their path.
    #[inline]
    pub fn sealed_field<W: Wire>(&mut self, name: &'static str) -> Result<W::Value, DecodeError> {
        self.nested_field::<W>(name)
    }

    /// Reads an open enum: `body` gets the tag and sees the bytes of the variant's fields only. What it leaves of them
    /// is skipped, so a variant that gained fields, or lost its only ones, is still read.
    ///
    /// # Errors
    /// Those of `body`, with the type's `name` as the start of their path.
    #[inline]
    pub fn variant<T>(
        &mut self,
        name: &'static str,
        body: impl FnOnce(u32, &mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        match self.take_variant() {
            Ok((tag, payload)) => {
                self.variant_has_payload = payload.is_some();
                self.within(payload.unwrap_or_default(), |decoder| body(tag, decoder))
            }
            Err(error) => Err(error),
        }
        .map_err(|error| error.in_type(name))
    }

    /// Keeps a variant that this side does not know; called first in the body of [`Decoder::variant`].
    pub fn unknown_variant(&mut self, tag: u32) -> UnknownVariant {
        if !self.variant_has_payload {
            return UnknownVariant::new(tag, None);
        }
        let payload = std::mem::take(&mut self.rest);
        let kept = if shares(payload.len(), self.payload.len()) {
            self.payload.slice_ref(payload)
        } else {
            // The bytes are there, so a copy at most doubles the payload; what it takes is missing to later values.
            self.memory_left = self.memory_left.saturating_sub(payload.len().saturating_add(ALLOCATION));
            Bytes::copy_from_slice(payload)
        };
        UnknownVariant::new(tag, Some(kept))
    }

    /// Reads the tag of a sealed enum.
    ///
    /// # Errors
    /// The bytes are not a tag.
    #[inline]
    pub fn sealed_tag(&mut self) -> Result<u32, DecodeError> {
        u32::take(self)
    }
}

impl<'a> Decoder<'a> {
    #[inline]
    fn take_variant(&mut self) -> Result<(u32, Option<&'a [u8]>), DecodeError> {
        let mark = u64::take(self)?;
        let tag = u32::try_from(mark >> 1)
            .map_err(|_| DecodeError::new(DecodeErrorKind::UnknownTag { tag: mark >> 1 }))?;
        let payload = if mark & 1 == 1 { Some(self.take_delimited()?) } else { None };
        Ok((tag, payload))
    }
}

#[inline]
fn shares(length: usize, payload: usize) -> bool {
    length >= SHARE_FROM && length.saturating_mul(PINS_AT_MOST) >= payload
}

#[cold]
fn missing(name: &'static str) -> DecodeError {
    DecodeError::new(DecodeErrorKind::MissingField).in_field(name)
}
