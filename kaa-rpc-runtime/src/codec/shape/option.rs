//! Optional and boxed values.
//!
//! Invariants
//! - An option is encoded as one byte, 0 or 1, and after 1 the value. A box is encoded as its value.

use std::marker::PhantomData;
use std::option::Option as Maybe;

use super::super::decode::Decoder;
use super::super::encode::Encoder;
use super::super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::super::wire::Wire;

/// A value that may be absent.
#[derive(Debug)]
pub struct Option<W>(PhantomData<fn() -> W>);

impl<W: Wire> Wire for Option<W> {
    type Value = Maybe<W::Value>;
    const MIN_SIZE: usize = 1;
    const FOREIGN: bool = W::FOREIGN;
    const NESTS: bool = W::NESTS;

    #[inline]
    fn encode(value: &Self::Value, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        match value {
            None => encoder.put_byte(0),
            Some(value) => {
                encoder.put_byte(1)?;
                encoder.nested_for::<W>(|encoder| W::encode(value, encoder))
            }
        }
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self::Value, DecodeError> {
        match decoder.take_byte()? {
            0 => Ok(None),
            1 => decoder.nested_for::<W, _>(W::decode).map(Some),
            other => Err(DecodeError::new(DecodeErrorKind::InvalidOption(other))),
        }
    }
}

/// A value on the heap, for recursive types.
#[derive(Debug)]
pub struct Boxed<W>(PhantomData<fn() -> W>);

impl<W: Wire> Wire for Boxed<W> {
    type Value = Box<W::Value>;
    const MIN_SIZE: usize = W::MIN_SIZE;
    const FOREIGN: bool = W::FOREIGN;

    #[inline]
    fn encode(value: &Self::Value, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        W::encode(value, encoder)
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self::Value, DecodeError> {
        decoder.charge(1, size_of::<W::Value>())?;
        W::decode(decoder).map(Box::new)
    }
}
