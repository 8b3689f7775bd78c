//! Leaf values: integers, floats, characters, lengths, and foreign types through serde. The only module that names
//! bincode.
//!
//! Invariants
//! - Every byte is what bincode 2 in its *standard* configuration writes. Values of one byte, floats and the zigzag of
//!   signed integers are spelled out here because they are the hot ones; the golden tests hold all of them against
//!   bincode itself.
//! - bincode's own decoding of owned, nested or sequenced data is never used: it allocates what a length claims and
//!   recurses as deep as the bytes say.

use bincode::config::{Configuration, standard};
use bincode::enc::write::Writer;
use serde::Serialize;

use super::decode::Decoder;
use super::encode::Encoder;
use super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::path::Path;

/// The largest integer that stands for itself in one byte.
const SINGLE_BYTE_MAX: u8 = 250;

const CONFIGURATION: Configuration = standard();

/// The longest prefix of a length: a marker and eight bytes.
const LONGEST_LENGTH: usize = 9;

/// An integer of variable length.
pub(super) trait Varint: Sized {
    /// Appends the integer.
    fn put(self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;
    /// Reads the integer.
    fn take(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError>;
}

macro_rules! varint {
    ($($unsigned:ident $signed:ident),*) => { $(
        impl Varint for $unsigned {
            #[inline]
            fn put(self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                match u8::try_from(self) {
                    Ok(byte) if byte <= SINGLE_BYTE_MAX => encoder.put_byte(byte),
                    _ => put_long(self, encoder),
                }
            }

            #[inline]
            fn take(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                match decoder.peek_byte() {
                    Some(byte) if byte <= SINGLE_BYTE_MAX => {
                        decoder.skip(1);
                        Ok(byte.into())
                    }
                    _ => take_long(decoder),
                }
            }
        }

        impl Varint for $signed {
            #[inline]
            fn put(self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                let zigzag = (self << 1) ^ (self >> ($signed::BITS - 1));
                zigzag.cast_unsigned().put(encoder)
            }

            #[inline]
            fn take(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                let zigzag = $unsigned::take(decoder)?;
                Ok((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
            }
        }
    )* };
}

varint!(u16 i16, u32 i32, u64 i64, u128 i128);

#[inline]
pub(super) fn put_char(value: char, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    put_long(value, encoder)
}

#[inline]
pub(super) fn take_char(decoder: &mut Decoder<'_>) -> Result<char, DecodeError> {
    take_long(decoder)
}

/// The length as schemas and the wire count it.
#[inline]
pub(super) fn length_as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The byte of a length that needs only one.
#[inline]
pub(super) fn single_byte(length: usize) -> Option<u8> {
    u8::try_from(length).ok().filter(|byte| *byte <= SINGLE_BYTE_MAX)
}

/// Hands the encoding of `length` to `use_bytes`.
pub(super) fn with_length<T>(length: usize, use_bytes: impl FnOnce(&[u8]) -> T) -> T {
    let mut bytes = [0; LONGEST_LENGTH];
    let used = bincode::encode_into_slice(length_as_u64(length), &mut bytes, CONFIGURATION);
    use_bytes(bytes.get(..used.unwrap_or_default()).unwrap_or_default())
}

/// Appends a value of a foreign type, as bincode writes it through serde.
pub(super) fn put_external<T: Serialize>(value: &T, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    let mut output = Output { encoder, failure: None };
    let result = bincode::serde::encode_into_writer(value, &mut output, CONFIGURATION);
    output.conclude(result)
}

#[inline(never)]
fn put_long<T: bincode::Encode>(value: T, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    let mut output = Output { encoder, failure: None };
    let result = bincode::encode_into_writer(value, &mut output, CONFIGURATION);
    output.conclude(result)
}

#[inline(never)]
fn take_long<T: bincode::Decode<()>>(decoder: &mut Decoder<'_>) -> Result<T, DecodeError> {
    match bincode::decode_from_slice(decoder.rest(), CONFIGURATION) {
        Ok((value, used)) => {
            decoder.skip(used);
            Ok(value)
        }
        Err(error) => Err(translate(&error)),
    }
}

#[cold]
fn translate(error: &bincode::error::DecodeError) -> DecodeError {
    use bincode::error::DecodeError as Bincode;
    DecodeError::new(match error {
        Bincode::UnexpectedEnd { .. } => DecodeErrorKind::UnexpectedEnd,
        Bincode::InvalidIntegerType { .. } => DecodeErrorKind::InvalidInteger,
        Bincode::InvalidCharEncoding(_) => DecodeErrorKind::InvalidChar,
        other => DecodeErrorKind::External(other.to_string()),
    })
}

/// An encoder as bincode wants to write to it. bincode cannot carry our errors, so they wait here.
struct Output<'encoder, 'buffer> {
    encoder: &'encoder mut Encoder<'buffer>,
    failure: Option<EncodeError>,
}

impl Writer for Output<'_, '_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.encoder.put_slice(bytes).map_err(|failure| {
            self.failure = Some(failure);
            bincode::error::EncodeError::UnexpectedEnd
        })
    }
}

impl Output<'_, '_> {
    fn conclude(self, result: Result<(), bincode::error::EncodeError>) -> Result<(), EncodeError> {
        match (result, self.failure) {
            (_, Some(failure)) => Err(failure),
            (Ok(()), None) => Ok(()),
            (Err(error), None) => {
                Err(EncodeError::External { path: Path::default(), message: error.to_string() })
            }
        }
    }
}
