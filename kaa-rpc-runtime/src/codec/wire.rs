//! The trait between values and payload bytes.
//!
//! Invariants
//! - `MIN_SIZE` is never more than the bytes of the smallest value: preallocation divides by it.
//! - `decode` reads exactly what `encode` wrote, or less of it followed by the end of its slice.

use super::decode::Decoder;
use super::encode::Encoder;
use super::error::{DecodeError, EncodeError};

/// How one type stands on the wire.
///
/// Leaf types and generated types implement it for themselves; everything generic goes through a zero-sized
/// [shape](super::shape), so that bounds nested in generics are enforced.
pub trait Wire {
    /// The Rust type that is encoded and decoded.
    type Value;

    /// The bytes of the smallest value. Elements of sequences, sets and maps need at least one byte.
    const MIN_SIZE: usize;

    /// Whether a value can hold other values. Leaves say no, and are not counted towards the depth limit.
    const NESTS: bool = true;

    /// Whether encoding a value runs code of the user's own: then it is not done while a connection is locked.
    const FOREIGN: bool = false;

    /// Appends `value`.
    ///
    /// # Errors
    /// The frame's size limit, a bound of the schema, or the depth limit is exceeded.
    fn encode(value: &Self::Value, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;

    /// Reads one value.
    ///
    /// # Errors
    /// The bytes are not a value of this type, or they exceed a limit.
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self::Value, DecodeError>;

    /// Appends many values, one after the other. Types whose memory is their encoding copy them in one go.
    ///
    /// # Errors
    /// As for [`Wire::encode`].
    #[inline]
    fn encode_slice(values: &[Self::Value], encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        for (index, value) in values.iter().enumerate() {
            if let Err(error) = Self::encode(value, encoder) {
                return Err(error.at_index(index));
            }
        }
        Ok(())
    }

    /// Reads `length` values. The caller has charged their memory and has seen that enough bytes are left for them.
    ///
    /// # Errors
    /// As for [`Wire::decode`].
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

    /// Reads an array. Only types without a value to start from take the way through the heap.
    ///
    /// # Errors
    /// As for [`Wire::decode`].
    #[inline]
    fn decode_array<const N: usize>(decoder: &mut Decoder<'_>) -> Result<[Self::Value; N], DecodeError> {
        decoder.charge(N, size_of::<Self::Value>())?;
        let values = Self::decode_many(decoder, N)?;
        values.try_into().map_err(|_| DecodeError::unexpected_end())
    }
}
