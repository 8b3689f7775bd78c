//! Leaf values: integers, floats, characters, lengths, and foreign types through serde. The only module that names
//! bincode.
//!
//! Invariants
//! - Every byte is what bincode 2 in its *standard* configuration writes. Integers are spelled out here because they are
//!   the hot ones (bincode's way through its reader and writer traits takes twice the instructions); the golden tests
//!   hold them against bincode itself.
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

/// Marks of the integers that follow in 2, 4, 8 and 16 bytes.
const MARK_16: u8 = 251;
const MARK_32: u8 = 252;
const MARK_64: u8 = 253;
const MARK_128: u8 = 254;

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

/// A mark and the integer behind it, as one array: a copy of known length is a few instructions, two of unknown
/// length are two calls.
macro_rules! marked {
    ($mark:ident, $value:expr, $type:ident) => {{
        let mut bytes = [$mark; 1 + size_of::<$type>()];
        if let Some((_, tail)) = bytes.split_first_mut() {
            tail.copy_from_slice(&$value.to_le_bytes());
        }
        bytes
    }};
}

/// For each type: its signed twin, the marks of the narrower types that may carry its value, and its own mark.
macro_rules! varint {
    ($($unsigned:ident $signed:ident [$($narrow_mark:ident $narrow:ident),*] $mark:ident;)*) => { $(
        impl Varint for $unsigned {
            #[inline]
            fn put(self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                // Apart, so that the common case is small enough to be inlined into every field.
                #[inline(never)]
                fn put_marked(value: $unsigned, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                    $( if let Ok(narrow) = $narrow::try_from(value) {
                        return encoder.put_slice(&marked!($narrow_mark, narrow, $narrow));
                    } )*
                    encoder.put_slice(&marked!($mark, value, $unsigned))
                }
                match u8::try_from(self) {
                    Ok(byte) if byte <= SINGLE_BYTE_MAX => encoder.put_byte(byte),
                    _ => put_marked(self, encoder),
                }
            }

            #[inline]
            fn take(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                match decoder.take_byte()? {
                    byte @ 0..=SINGLE_BYTE_MAX => Ok(byte.into()),
                    $( $narrow_mark => decoder.take_array().map(|bytes| $narrow::from_le_bytes(bytes).into()), )*
                    $mark => decoder.take_array().map(Self::from_le_bytes),
                    _ => Err(DecodeError::new(DecodeErrorKind::InvalidInteger)),
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

varint! {
    u16 i16 [] MARK_16;
    u32 i32 [MARK_16 u16] MARK_32;
    u64 i64 [MARK_16 u16, MARK_32 u32] MARK_64;
    u128 i128 [MARK_16 u16, MARK_32 u32, MARK_64 u64] MARK_128;
}

/// Appends a character.
pub(super) fn put_char(value: char, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    let mut output = Output { encoder, failure: None };
    let result = bincode::encode_into_writer(value, &mut output, CONFIGURATION);
    output.conclude(result)
}

/// Reads a character.
pub(super) fn take_char(decoder: &mut Decoder<'_>) -> Result<char, DecodeError> {
    match bincode::decode_from_slice(decoder.rest(), CONFIGURATION) {
        Ok((value, used)) => {
            decoder.skip(used);
            Ok(value)
        }
        Err(bincode::error::DecodeError::UnexpectedEnd { .. }) => Err(DecodeError::unexpected_end()),
        Err(_) => Err(DecodeError::new(DecodeErrorKind::InvalidChar)),
    }
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
