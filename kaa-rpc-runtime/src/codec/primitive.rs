//! Primitive types: integers, floats, `bool`, `char`, times, UUIDs, the unit type and the type without
//! values.
//!
//! Invariants
//! - `u8`, `i8` and `bool` take one byte, floats their little-endian bytes. Other integers are varints;
//!   signed ones are zigzag-encoded.
//! - A duration or timestamp is encoded as its seconds, then its nanoseconds, which are less than a second.

use std::convert::Infallible;
use std::time::Duration;

use uuid::Uuid;

use super::decode::Decoder;
use super::encode::Encoder;
use super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::leaf::{self, Varint};
use super::wire::Wire;
use crate::timestamp::Timestamp;

const NANOSECONDS_PER_SECOND: u32 = 1_000_000_000;

/// Decodes arrays without heap allocation, starting from a default element.
macro_rules! array_from {
    ($start:expr) => {
        #[inline]
        fn decode_array<const N: usize>(decoder: &mut Decoder<'_>) -> Result<[Self; N], DecodeError> {
            let mut array = [$start; N];
            for (index, slot) in array.iter_mut().enumerate() {
                match Self::decode(decoder) {
                    Ok(value) => *slot = value,
                    Err(error) => return Err(error.at_index(index)),
                }
            }
            Ok(array)
        }
    };
}

macro_rules! varints {
    ($($integer:ident),*) => { $(
        impl Wire for $integer {
            type Value = Self;
            const MIN_SIZE: usize = 1;
            const NESTS: bool = false;

            #[inline]
            fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                value.put(encoder)
            }

            #[inline]
            fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                Self::take(decoder)
            }

            array_from!(0);
        }
    )* };
}

varints!(u16, u32, u64, u128, i16, i32, i64, i128);

macro_rules! floats {
    ($($float:ident $size:literal),*) => { $(
        impl Wire for $float {
            type Value = Self;
            const MIN_SIZE: usize = $size;
            const NESTS: bool = false;

            #[inline]
            fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                encoder.put_slice(&value.to_le_bytes())
            }

            #[inline]
            fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                decoder.take_array().map(Self::from_le_bytes)
            }

            #[inline]
            fn encode_slice(values: &[Self], encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                let (chunks, _) = encoder.put_zeros(values.len().saturating_mul($size))?.as_chunks_mut();
                for (chunk, value) in chunks.iter_mut().zip(values) {
                    *chunk = value.to_le_bytes();
                }
                Ok(())
            }

            #[inline]
            fn decode_many(decoder: &mut Decoder<'_>, length: usize) -> Result<Vec<Self>, DecodeError> {
                let slice = decoder.take_slice(length.saturating_mul($size))?;
                let (chunks, _) = slice.as_chunks();
                Ok(chunks.iter().map(|chunk| Self::from_le_bytes(*chunk)).collect())
            }

            array_from!(0.0);
        }
    )* };
}

floats!(f32 4, f64 8);

impl Wire for u8 {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    const NESTS: bool = false;

    #[inline]
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.put_byte(*value)
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.take_byte()
    }

    #[inline]
    fn encode_slice(values: &[Self], encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.put_slice(values)
    }

    #[inline]
    fn decode_many(decoder: &mut Decoder<'_>, length: usize) -> Result<Vec<Self>, DecodeError> {
        decoder.take_slice(length).map(<[Self]>::to_vec)
    }

    #[inline]
    fn decode_array<const N: usize>(decoder: &mut Decoder<'_>) -> Result<[Self; N], DecodeError> {
        decoder.take_array()
    }
}

impl Wire for i8 {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    const NESTS: bool = false;

    #[inline]
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.put_byte(value.cast_unsigned())
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.take_byte().map(u8::cast_signed)
    }

    #[inline]
    fn decode_many(decoder: &mut Decoder<'_>, length: usize) -> Result<Vec<Self>, DecodeError> {
        Ok(decoder.take_slice(length)?.iter().map(|byte| byte.cast_signed()).collect())
    }

    array_from!(0);
}

impl Wire for bool {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    const NESTS: bool = false;

    #[inline]
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.put_byte(u8::from(*value))
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match decoder.take_byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(DecodeError::new(DecodeErrorKind::InvalidBool(other))),
        }
    }

    array_from!(false);
}

impl Wire for char {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    const NESTS: bool = false;

    #[inline]
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        leaf::put_char(*value, encoder)
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        leaf::take_char(decoder)
    }

    array_from!('\0');
}

impl Wire for Duration {
    type Value = Self;
    const MIN_SIZE: usize = 2;
    const NESTS: bool = false;

    #[inline]
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        value.as_secs().put(encoder)?;
        value.subsec_nanos().put(encoder)
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let seconds = u64::take(decoder)?;
        Ok(Self::new(seconds, take_nanoseconds(decoder)?))
    }

    array_from!(Self::ZERO);
}

impl Wire for Timestamp {
    type Value = Self;
    const MIN_SIZE: usize = 2;
    const NESTS: bool = false;

    #[inline]
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        value.seconds().put(encoder)?;
        value.nanoseconds().put(encoder)
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let seconds = i64::take(decoder)?;
        let nanoseconds = take_nanoseconds(decoder)?;
        Self::new(seconds, nanoseconds)
            .ok_or_else(|| DecodeError::new(DecodeErrorKind::InvalidNanoseconds(nanoseconds)))
    }

    array_from!(Self::UNIX_EPOCH);
}

#[inline]
fn take_nanoseconds(decoder: &mut Decoder<'_>) -> Result<u32, DecodeError> {
    let nanoseconds = u32::take(decoder)?;
    if nanoseconds < NANOSECONDS_PER_SECOND {
        Ok(nanoseconds)
    } else {
        Err(DecodeError::new(DecodeErrorKind::InvalidNanoseconds(nanoseconds)))
    }
}

impl Wire for Uuid {
    type Value = Self;
    const MIN_SIZE: usize = 16;
    const NESTS: bool = false;

    #[inline]
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.put_slice(value.as_bytes())
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.take_array().map(Self::from_bytes)
    }

    array_from!(Self::nil());
}

impl Wire for () {
    type Value = Self;
    const MIN_SIZE: usize = 0;
    const NESTS: bool = false;

    #[inline]
    fn encode((): &Self, _: &mut Encoder<'_>) -> Result<(), EncodeError> {
        Ok(())
    }

    #[inline]
    fn decode(_: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

/// The error type of methods that declare none.
impl Wire for Infallible {
    type Value = Self;
    const MIN_SIZE: usize = 0;
    const NESTS: bool = false;

    fn encode(value: &Self, _: &mut Encoder<'_>) -> Result<(), EncodeError> {
        match *value {}
    }

    fn decode(_: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Err(DecodeError::new(DecodeErrorKind::Uninhabited))
    }
}
