//! Structs, enums and lengths: what surrounds leaf values.
//!
//! Invariants
//! - A length is never trusted beyond the bytes that are left.
//! - An extensible struct or an open variant is read from its own bytes only. What its reader does not know
//!   is skipped.

use super::decode::Decoder;
use super::encode::Encoder;
use super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::leaf::{self, Varint};
use super::unknown::UnknownVariant;
use super::wire::Wire;

impl Encoder<'_> {
    /// Appends an extensible struct: the length in bytes of what `body` appends, then those bytes.
    ///
    /// # Errors
    /// Those of `body`, and the frame's size limit.
    #[inline]
    pub fn structure(
        &mut self,
        body: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let start = self.position();
        self.put_byte(0)?;
        let before = self.room();
        body(self)?;
        let length = before - self.room();
        if let Some(byte) = leaf::single_byte(length) {
            self.patch_byte(start, byte);
            Ok(())
        } else {
            leaf::with_length(length, |bytes| self.widen(start, bytes))
        }
    }

    /// Appends a field, or an argument of a method.
    ///
    /// # Errors
    /// Those of the value, with `name` added to their path.
    #[inline]
    pub fn field<W: Wire>(&mut self, name: &'static str, value: &W::Value) -> Result<(), EncodeError> {
        self.nested_for::<W>(|encoder| W::encode(value, encoder)).map_err(|error| error.in_field(name))
    }

    /// Runs `body`, one level deeper if values of `W` count towards the depth.
    #[inline]
    pub(super) fn nested_for<W: Wire>(
        &mut self,
        body: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        if W::NESTS { self.nested(body) } else { body(self) }
    }

    /// Fills the slot of a deleted field with the encoded zero value of its type.
    ///
    /// # Errors
    /// The frame's size limit.
    #[inline]
    pub fn tombstone(&mut self, zero: &'static [u8]) -> Result<(), EncodeError> {
        self.put_slice(zero)
    }

    /// Appends a variant of an open enum that has no fields.
    ///
    /// # Errors
    /// The frame's size limit.
    #[inline]
    pub fn unit_variant(&mut self, tag: u32) -> Result<(), EncodeError> {
        (u64::from(tag) << 1).put(self)
    }

    /// Appends a variant of an open enum: the tag, the length of the fields, and the fields that `body`
    /// appends.
    ///
    /// # Errors
    /// Those of `body`, and the frame's size limit.
    #[inline]
    pub fn variant(
        &mut self,
        tag: u32,
        body: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        (u64::from(tag) << 1 | 1).put(self)?;
        self.structure(body)
    }

    /// Appends a variant that this side has received and does not know.
    ///
    /// # Errors
    /// The frame's size limit.
    pub fn unknown_variant(&mut self, unknown: &UnknownVariant) -> Result<(), EncodeError> {
        match unknown.payload() {
            None => self.unit_variant(unknown.tag()),
            Some(payload) => self.variant(unknown.tag(), |encoder| encoder.put_shared(payload)),
        }
    }

    /// Appends the tag of a sealed enum. Its fields follow without a length.
    ///
    /// # Errors
    /// The frame's size limit.
    #[inline]
    pub fn sealed_tag(&mut self, tag: u32) -> Result<(), EncodeError> {
        tag.put(self)
    }
}

impl<'a> Decoder<'a> {
    /// Reads the length of a string, byte string, sequence, set or map whose elements take at least
    /// `min_size` bytes.
    #[inline]
    pub(super) fn take_length(&mut self, bound: u64, min_size: usize) -> Result<usize, DecodeError> {
        let length = u64::take(self)?;
        if length > bound {
            return Err(DecodeError::new(DecodeErrorKind::BoundExceeded { length, bound }));
        }
        match usize::try_from(length) {
            Ok(length) if length <= self.remaining() / min_size.max(1) => Ok(length),
            _ => Err(DecodeError::unexpected_end()),
        }
    }

    #[inline]
    fn take_delimited(&mut self) -> Result<&'a [u8], DecodeError> {
        let length = self.take_length(u64::MAX, 1)?;
        self.take_slice(length)
    }

    #[inline]
    fn take_variant(&mut self) -> Result<(u32, Option<&'a [u8]>), DecodeError> {
        let mark = u64::take(self)?;
        let tag = u32::try_from(mark >> 1)
            .map_err(|_| DecodeError::new(DecodeErrorKind::UnknownTag { tag: mark >> 1 }))?;
        let payload = if mark & 1 == 1 { Some(self.take_delimited()?) } else { None };
        Ok((tag, payload))
    }

    #[inline]
    fn nested_field<W: Wire>(&mut self, name: &'static str) -> Result<W::Value, DecodeError> {
        self.nested_for::<W, _>(W::decode).map_err(|error| error.in_field(name))
    }

    /// Runs `body`, one level deeper if values of `W` count towards the depth.
    #[inline]
    pub(super) fn nested_for<W: Wire, T>(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if W::NESTS { self.nested(body) } else { body(self) }
    }
}

impl Decoder<'_> {
    /// Reads an extensible struct. `body` sees only the struct's bytes, and what it does not read of them is
    /// skipped.
    ///
    /// # Errors
    /// Those of `body`, with the type's `name` at the start of their path.
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
    /// Those of the value, or the struct's bytes end before it. `name` is added to their path.
    #[inline]
    pub fn field<W: Wire>(&mut self, name: &'static str) -> Result<W::Value, DecodeError> {
        if self.remaining() == 0 {
            return Err(missing(name));
        }
        self.nested_field::<W>(name)
    }

    /// Reads a field, or an argument of a method. If the bytes end before it, returns its default.
    ///
    /// # Errors
    /// Those of the value, with `name` added to their path.
    #[inline]
    pub fn field_or<W: Wire>(
        &mut self,
        name: &'static str,
        default: impl FnOnce() -> W::Value,
    ) -> Result<W::Value, DecodeError> {
        if self.remaining() == 0 { Ok(default()) } else { self.nested_field::<W>(name) }
    }

    /// Skips the slot of a deleted field, if the bytes have one.
    ///
    /// # Errors
    /// Those of the value in the slot, with `name` added to their path.
    #[inline]
    pub fn tombstone<W: Wire>(&mut self, name: &'static str) -> Result<(), DecodeError> {
        if self.remaining() == 0 { Ok(()) } else { self.nested_field::<W>(name).map(drop) }
    }

    /// Reads a sealed struct or enum, which has no length prefix.
    ///
    /// # Errors
    /// Those of `body`, with the type's `name` at the start of their path.
    #[inline]
    pub fn sealed<T>(
        &mut self,
        name: &'static str,
        body: impl FnOnce(&mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        body(self).map_err(|error| error.in_type(name))
    }

    /// Reads a field of a sealed struct or enum. Such a field is never missing.
    ///
    /// # Errors
    /// Those of the value, with `name` added to their path.
    #[inline]
    pub fn sealed_field<W: Wire>(&mut self, name: &'static str) -> Result<W::Value, DecodeError> {
        self.nested_field::<W>(name)
    }

    /// Reads an open enum. `body` receives the tag and sees only the bytes of the variant's fields. What it
    /// does not read of them is skipped, so a variant that gained fields, or lost its only ones, can still be
    /// read.
    ///
    /// # Errors
    /// Those of `body`, with the type's `name` at the start of their path.
    #[inline]
    pub fn variant<T>(
        &mut self,
        name: &'static str,
        body: impl FnOnce(u32, &mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        match self.take_variant() {
            Ok((tag, payload)) => self.within_variant(payload, |decoder| body(tag, decoder)),
            Err(error) => Err(error),
        }
        .map_err(|error| error.in_type(name))
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

#[cold]
fn missing(name: &'static str) -> DecodeError {
    DecodeError::new(DecodeErrorKind::MissingField).in_field(name)
}
