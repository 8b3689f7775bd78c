//! Values that were encoded before their place was known: those whose encoding runs the user's own code, which must
//! not happen while a connection is locked.

use super::buffer::Buffer;
use super::encode::Encoder;
use super::error::EncodeError;

/// Encoded bytes, or why there are none.
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

    /// Puts the bytes where they belong.
    ///
    /// # Errors
    /// The value's own, or that its place is too small.
    pub(crate) fn write(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        match &self.0 {
            Ok(bytes) => encoder.put_slice(bytes),
            Err(error) => Err(error.clone()),
        }
    }
}
