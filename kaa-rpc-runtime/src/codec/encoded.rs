//! Values that are encoded in advance, because their encoding runs user code, which must not run while a
//! connection is locked.

use super::buffer::Buffer;
use super::encode::Encoder;
use super::error::EncodeError;

/// The encoded bytes, or the error.
#[derive(Debug)]
pub(crate) struct Encoded(Result<Vec<u8>, EncodeError>);

impl Encoded {
    /// Encodes at most `limit` bytes.
    pub(crate) fn new(
        limit: usize,
        encode: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Self {
        let mut buffer = Buffer::new();
        Self(encode(&mut Encoder::new(&mut buffer, limit)).map(|()| buffer.into_bytes()))
    }

    /// Appends the bytes.
    ///
    /// # Errors
    /// The error of the value, or the frame's size limit.
    pub(crate) fn write(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        match &self.0 {
            Ok(bytes) => encoder.put_slice(bytes),
            Err(error) => Err(error.clone()),
        }
    }
}
