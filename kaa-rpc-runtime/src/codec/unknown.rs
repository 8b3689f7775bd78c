//! A variant that this side's schema does not have. It is kept so that it can be passed on unchanged.
//!
//! Invariant: it encodes to the bytes from which it was decoded, with the canonical encoding of tag and
//! length.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A variant of an open enum that this side's schema does not have. Only decoding creates one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnknownVariant {
    tag: u32,
    payload: Option<Bytes>,
}

impl UnknownVariant {
    pub(super) const fn new(tag: u32, payload: Option<Bytes>) -> Self {
        Self { tag, payload }
    }

    /// The tag of the variant.
    #[must_use]
    pub const fn tag(&self) -> u32 {
        self.tag
    }

    /// The encoded fields of the variant; `None` for a variant that was sent without fields.
    #[must_use]
    pub const fn payload(&self) -> Option<&Bytes> {
        self.payload.as_ref()
    }
}
