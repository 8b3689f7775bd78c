//! A variant that this version of the schema does not know, kept so that it can be passed on unchanged.
//!
//! Invariants
//! - It encodes to the bytes it was decoded from, as the canonical encoding of its tag and length.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A variant of an open enum that this side's schema does not have. Only decoding makes one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnknownVariant {
    tag: u32,
    payload: Option<Bytes>,
}

impl UnknownVariant {
    pub(super) const fn new(tag: u32, payload: Option<Bytes>) -> Self {
        Self { tag, payload }
    }

    /// The variant's tag.
    #[must_use]
    pub const fn tag(&self) -> u32 {
        self.tag
    }

    /// The variant's encoded fields; `None` for a variant that was sent without any.
    #[must_use]
    pub const fn payload(&self) -> Option<&Bytes> {
        self.payload.as_ref()
    }
}
