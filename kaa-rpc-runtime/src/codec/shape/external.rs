//! Foreign types, in the encoding that bincode has for any serde type.
//!
//! Invariants
//! - bincode encodes them. The deserializer here reads the same bytes, but unlike bincode's it charges the
//!   message's budget, limits the depth and trusts no length.
//! - Every element of a sequence or map takes at least one byte. A sequence of units can therefore be encoded
//!   but not decoded.

use std::marker::PhantomData;

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde::ser::Serialize;

use super::super::decode::Decoder;
use super::super::encode::Encoder;
use super::super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::super::leaf;
use super::super::wire::Wire;
use super::{ENTRY_OVERHEAD, UNBOUNDED};

/// A serde type in bincode's encoding.
#[derive(Debug)]
pub struct Extern<T>(PhantomData<fn() -> T>);

impl<T: Serialize + DeserializeOwned> Wire for Extern<T> {
    type Value = T;
    const MIN_SIZE: usize = 1;
    const FOREIGN: bool = true;

    fn encode(value: &T, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        leaf::put_external(value, encoder)
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<T, DecodeError> {
        T::deserialize(Reader(decoder))
    }
}

/// Adapts a decoder to serde.
struct Reader<'decoder, 'payload>(&'decoder mut Decoder<'payload>);

macro_rules! leaves {
    ($($method:ident $visit:ident $leaf:ident),*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            visitor.$visit($leaf::decode(self.0)?)
        }
    )* };
}

impl<'de> Reader<'_, 'de> {
    fn elements<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.0.nested(|decoder| visitor.visit_seq(Elements { decoder, left, charged: false }))
    }

    fn text(&mut self) -> Result<&'de str, DecodeError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| DecodeError::new(DecodeErrorKind::InvalidUtf8))
    }

    fn bytes(&mut self) -> Result<&'de [u8], DecodeError> {
        let length = self.0.take_length(UNBOUNDED, 1)?;
        // It is not known whether the visitor copies the bytes, so all of them are charged.
        self.0.charge(length, 1)?;
        self.0.take_slice(length)
    }
}

impl<'de> Deserializer<'de> for Reader<'_, 'de> {
    type Error = DecodeError;

    leaves! {
        deserialize_bool visit_bool bool, deserialize_char visit_char char,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64, deserialize_u128 visit_u128 u128,
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_i128 visit_i128 i128,
        deserialize_f32 visit_f32 f32, deserialize_f64 visit_f64 f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, DecodeError> {
        Err(DecodeError::custom("types that need a self-describing format are not supported"))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_borrowed_bytes(self.bytes()?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0.take_byte()? {
            0 => visitor.visit_none(),
            1 => self.0.nested(|decoder| visitor.visit_some(Reader(decoder))),
            other => Err(DecodeError::new(DecodeErrorKind::InvalidOption(other))),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.0.nested(|decoder| visitor.visit_newtype_struct(Reader(decoder)))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let left = self.0.take_length(UNBOUNDED, 1)?;
        self.0.nested(|decoder| visitor.visit_seq(Elements { decoder, left, charged: true }))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.elements(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.elements(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let left = self.0.take_length(UNBOUNDED, 1)?;
        self.0.nested(|decoder| visitor.visit_map(Elements { decoder, left, charged: true }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.elements(fields.len(), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.0.nested(|decoder| visitor.visit_enum(Reader(decoder)))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

impl<'de> EnumAccess<'de> for Reader<'_, 'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), DecodeError> {
        let tag: U32Deserializer<DecodeError> = self.0.sealed_tag()?.into_deserializer();
        Ok((seed.deserialize(tag)?, self))
    }
}

impl<'de> VariantAccess<'de> for Reader<'_, 'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, DecodeError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.elements(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.elements(fields.len(), visitor)
    }
}

/// The elements of a sequence or map, or the fields of a struct or tuple.
struct Elements<'decoder, 'payload> {
    decoder: &'decoder mut Decoder<'payload>,
    left: usize,
    /// Whether the elements are on the heap: those of sequences and maps are, the fields of a struct are not.
    charged: bool,
}

impl<'de> Elements<'_, 'de> {
    fn read<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DecodeError> {
        if self.charged {
            // A growing collection doubles its size, and both the old and the new memory exist for a moment.
            self.decoder.charge(3, size_of::<S::Value>() + ENTRY_OVERHEAD)?;
        }
        seed.deserialize(Reader(self.decoder))
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DecodeError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.read(seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        // With a hint, serde would allocate up to a mebibyte at every depth before the memory is charged.
        if self.charged { None } else { Some(self.left) }
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.read(seed).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DecodeError> {
        self.read(seed)
    }
}
