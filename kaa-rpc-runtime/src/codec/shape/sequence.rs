//! Sequences and arrays.
//!
//! Invariants
//! - A sequence is encoded as its length, then its elements. An array has no length.
//! - The memory of a sequence is charged and allocated at once, after a check that the bytes left can contain
//!   that many elements.

use std::marker::PhantomData;
use std::vec::Vec as List;

use super::super::decode::Decoder;
use super::super::encode::Encoder;
use super::super::error::{DecodeError, EncodeError};
use super::super::wire::Wire;
use super::{UNBOUNDED, put_bounded_length};

/// A sequence of at most `MAX` elements.
#[derive(Debug)]
pub struct Vec<W, const MAX: u64 = UNBOUNDED>(PhantomData<fn() -> W>);

impl<W: Wire, const MAX: u64> Wire for Vec<W, MAX> {
    type Value = List<W::Value>;
    const MIN_SIZE: usize = 1;
    const FOREIGN: bool = W::FOREIGN;
    const NESTS: bool = W::NESTS;

    #[inline]
    fn encode(value: &Self::Value, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        put_bounded_length(value.len(), MAX, encoder)?;
        encoder.nested_for::<W>(|encoder| W::encode_slice(value, encoder))
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self::Value, DecodeError> {
        const { assert!(W::MIN_SIZE > 0, "elements take at least one byte") };
        let length = decoder.take_length(MAX, W::MIN_SIZE)?;
        decoder.charge(length, size_of::<W::Value>())?;
        decoder.nested_for::<W, _>(|decoder| W::decode_many(decoder, length))
    }
}

/// An array of exactly `N` elements.
#[derive(Debug)]
pub struct Array<W, const N: usize>(PhantomData<fn() -> W>);

impl<W: Wire, const N: usize> Wire for Array<W, N> {
    type Value = [W::Value; N];
    const MIN_SIZE: usize = W::MIN_SIZE.saturating_mul(N);
    const FOREIGN: bool = W::FOREIGN;
    const NESTS: bool = W::NESTS;

    #[inline]
    fn encode(value: &Self::Value, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.nested_for::<W>(|encoder| W::encode_slice(value, encoder))
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self::Value, DecodeError> {
        if decoder.remaining() < Self::MIN_SIZE {
            return Err(DecodeError::unexpected_end());
        }
        decoder.nested_for::<W, _>(W::decode_array)
    }
}
