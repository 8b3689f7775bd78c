//! Leaf values: integers, characters, lengths, and foreign types through serde. Only this module uses
//! bincode.
//!
//! Invariants
//! - Every byte is as written by bincode 2 in its *standard* configuration. Integers are implemented here
//!   because they are frequent, and bincode's reader and writer traits take twice the instructions. The
//!   golden tests compare them with bincode.
//! - bincode's decoding of owned, nested or sequenced data is never used: it allocates as much as a length
//!   announces, and recurses as deep as the bytes demand.

use bincode::config::{Configuration, standard};
use bincode::enc::write::Writer;
use serde::Serialize;

use super::decode::Decoder;
use super::encode::Encoder;
use super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::path::Path;

/// The largest integer that is encoded as a single byte.
const SINGLE_BYTE_MAX: u8 = 250;

/// The marker bytes of integers in 2, 4, 8 and 16 bytes.
const MARKER_16: u8 = 251;
const MARKER_32: u8 = 252;
const MARKER_64: u8 = 253;
const MARKER_128: u8 = 254;

const CONFIGURATION: Configuration = standard();

/// The maximum size of an encoded length: a marker and eight bytes.
const MAX_LENGTH_SIZE: usize = 9;

/// An integer of variable length.
pub(super) trait Varint: Sized {
    /// Appends the integer.
    fn put(self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;
    /// Reads the integer.
    fn take(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError>;
}

/// A marker and the integer after it as one array. One copy of known length takes a few instructions, two
/// copies of unknown length would take two calls.
macro_rules! marked {
    ($marker:ident, $value:expr, $type:ident) => {{
        let mut bytes = [$marker; 1 + size_of::<$type>()];
        if let Some((_, tail)) = bytes.split_first_mut() {
            tail.copy_from_slice(&$value.to_le_bytes());
        }
        bytes
    }};
}

/// For each type: its signed counterpart, the markers and types of narrower encodings, and its own marker.
macro_rules! varint {
    ($($unsigned:ident $signed:ident [$($narrow_marker:ident $narrow:ident),*] $marker:ident;)*) => { $(
        impl Varint for $unsigned {
            #[inline]
            fn put(self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                // A function of its own, so that the common case is small enough to be inlined into every
                // field.
                #[inline(never)]
                fn put_marked(value: $unsigned, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
                    $( if let Ok(narrow) = $narrow::try_from(value) {
                        return encoder.put_slice(&marked!($narrow_marker, narrow, $narrow));
                    } )*
                    encoder.put_slice(&marked!($marker, value, $unsigned))
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
                    $( $narrow_marker => decoder.take_array().map(|bytes| $narrow::from_le_bytes(bytes).into()), )*
                    $marker => decoder.take_array().map(Self::from_le_bytes),
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
    u16 i16 [] MARKER_16;
    u32 i32 [MARKER_16 u16] MARKER_32;
    u64 i64 [MARKER_16 u16, MARKER_32 u32] MARKER_64;
    u128 i128 [MARKER_16 u16, MARKER_32 u32, MARKER_64 u64] MARKER_128;
}

/// Appends a character.
pub(super) fn put_char(value: char, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    let mut output = Output { encoder, failure: None };
    let result = bincode::encode_into_writer(value, &mut output, CONFIGURATION);
    output.finish(result)
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

/// Converts a length to the type that schemas and the wire use.
#[inline]
pub(super) fn length_as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The encoding of a length, if it needs only one byte.
#[inline]
pub(super) fn single_byte(length: usize) -> Option<u8> {
    u8::try_from(length).ok().filter(|byte| *byte <= SINGLE_BYTE_MAX)
}

/// Passes the encoding of `length` to `use_bytes`.
pub(super) fn with_length<T>(length: usize, use_bytes: impl FnOnce(&[u8]) -> T) -> T {
    let mut bytes = [0; MAX_LENGTH_SIZE];
    let used = bincode::encode_into_slice(length_as_u64(length), &mut bytes, CONFIGURATION);
    use_bytes(bytes.get(..used.unwrap_or_default()).unwrap_or_default())
}

/// Appends a value of a foreign type, as bincode encodes it through serde.
pub(super) fn put_external<T: Serialize>(value: &T, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    let mut output = Output { encoder, failure: None };
    let result = bincode::serde::encode_into_writer(value, &mut output, CONFIGURATION);
    output.finish(result)
}

/// Adapts an encoder to bincode's writer. bincode cannot pass on this crate's errors, so they are stored
/// here.
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
    fn finish(self, result: Result<(), bincode::error::EncodeError>) -> Result<(), EncodeError> {
        match (result, self.failure) {
            (_, Some(failure)) => Err(failure),
            (Ok(()), None) => Ok(()),
            (Err(error), None) => {
                Err(EncodeError::External { path: Path::default(), message: error.to_string() })
            }
        }
    }
}
