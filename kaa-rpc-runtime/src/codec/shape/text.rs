//! Strings and byte strings.
//!
//! Invariants
//! - A bound counts bytes, for strings too.
//! - A large byte string shares memory with the payload when it is decoded, and with the output buffer when
//!   it is encoded.

use std::string::String as Text;

use bytes::Bytes as SharedBytes;

use super::super::decode::Decoder;
use super::super::encode::Encoder;
use super::super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::super::wire::Wire;
use super::{UNBOUNDED, put_bounded_length};

/// A string of at most `MAX` bytes of UTF-8.
#[derive(Debug)]
pub struct String<const MAX: u64 = UNBOUNDED>(());

impl<const MAX: u64> Wire for String<MAX> {
    type Value = Text;
    const MIN_SIZE: usize = 1;
    const NESTS: bool = false;

    #[inline]
    fn encode(value: &Text, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        put_bounded_length(value.len(), MAX, encoder)?;
        encoder.put_slice(value.as_bytes())
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<Text, DecodeError> {
        let length = decoder.take_length(MAX, 1)?;
        let slice = decoder.take_slice(length)?;
        match std::str::from_utf8(slice) {
            Ok(text) => {
                decoder.charge(length, 1)?;
                Ok(text.to_owned())
            }
            Err(_) => Err(DecodeError::new(DecodeErrorKind::InvalidUtf8)),
        }
    }
}

/// A byte string of at most `MAX` bytes.
#[derive(Debug)]
pub struct Bytes<const MAX: u64 = UNBOUNDED>(());

impl<const MAX: u64> Wire for Bytes<MAX> {
    type Value = SharedBytes;
    const MIN_SIZE: usize = 1;
    const NESTS: bool = false;

    #[inline]
    fn encode(value: &SharedBytes, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        put_bounded_length(value.len(), MAX, encoder)?;
        encoder.put_shared(value)
    }

    #[inline]
    fn decode(decoder: &mut Decoder<'_>) -> Result<SharedBytes, DecodeError> {
        let length = decoder.take_length(MAX, 1)?;
        let slice = decoder.take_slice(length)?;
        decoder.own_bytes(slice)
    }
}
