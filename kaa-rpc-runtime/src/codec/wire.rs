//! The trait of types that can be encoded and decoded.
//!
//! Invariants
//! - `MIN_SIZE` is at most the size of the smallest encoded value: preallocation divides by it.
//! - `decode` reads exactly the bytes that `encode` has written. It may stop earlier only at the end of its
//!   slice.

use super::decode::Decoder;
use super::encode::Encoder;
use super::error::{DecodeError, EncodeError};

/// The encoding of one type.
///
/// Leaf types and generated types implement it directly. Generic types have a zero-sized
/// [shape](super::shape), so that nested bounds are enforced.
pub trait Wire {
    /// The Rust type that is encoded and decoded.
    type Value;

    /// The size of the smallest encoded value in bytes. Elements of sequences, sets and maps need at least
    /// one byte.
    const MIN_SIZE: usize;

    /// Whether a value can contain other values. Leaf values cannot, and do not count towards the depth
    /// limit.
    const NESTS: bool = true;

    /// Whether encoding a value runs user code. Such a value is not encoded while a connection is locked.
    const FOREIGN: bool = false;

    /// Appends a value.
    ///
    /// # Errors
    /// The frame's size limit, a bound of the schema, or the depth limit is exceeded.
    fn encode(value: &Self::Value, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;

    /// Reads one value.
    ///
    /// # Errors
    /// The bytes are not a value of this type, or they exceed a limit.
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self::Value, DecodeError>;

    /// Appends several values. Types whose memory layout is their encoding copy them at once.
    ///
    /// # Errors
    /// Those of [`Wire::encode`].
    #[inline]
    fn encode_slice(values: &[Self::Value], encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        for (index, value) in values.iter().enumerate() {
            if let Err(error) = Self::encode(value, encoder) {
                return Err(error.at_index(index));
            }
        }
        Ok(())
    }

    /// Reads `length` values. The caller has charged their memory, and has checked that enough bytes are
    /// left.
    ///
    /// # Errors
    /// Those of [`Wire::decode`].
    #[inline]
    fn decode_many(decoder: &mut Decoder<'_>, length: usize) -> Result<Vec<Self::Value>, DecodeError> {
        let mut values = Vec::with_capacity(length);
        for index in 0..length {
            match Self::decode(decoder) {
                Ok(value) => values.push(value),
                Err(error) => return Err(error.at_index(index)),
            }
        }
        Ok(values)
    }

    /// Reads an array. Types without a default value use a temporary vector.
    ///
    /// # Errors
    /// Those of [`Wire::decode`].
    #[inline]
    fn decode_array<const N: usize>(decoder: &mut Decoder<'_>) -> Result<[Self::Value; N], DecodeError> {
        decoder.charge(N, size_of::<Self::Value>())?;
        let values = Self::decode_many(decoder, N)?;
        values.try_into().map_err(|_| DecodeError::unexpected_end())
    }
}
