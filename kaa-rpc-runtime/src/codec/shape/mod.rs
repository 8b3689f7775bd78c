//! Zero-sized descriptions of generic types, so that bounds nested in them are enforced: the schema's
//! `Vec<String<..=64>, ..=10>` is `shape::Vec<shape::String<64>, 10>`, its value a `Vec<String>`.
//!
//! Invariants
//! - Shapes are never values.
//! - A bound is checked before anything is written, and before anything is read or allocated.
//! - Elements take at least one byte on the wire; a sequence of nothings does not compile.

mod external;
mod map;
mod option;
mod sequence;
mod set;
mod text;

pub use external::Extern;
pub use map::{HashMap, Map};
pub use option::{Boxed, Option};
pub use sequence::{Array, Vec};
pub use set::{HashSet, Set};
pub use text::{Bytes, String};

use super::encode::Encoder;
use super::error::EncodeError;
use super::leaf::{self, Varint};
use super::path::Path;

/// The bound of what has none.
pub const UNBOUNDED: u64 = u64::MAX;

/// Appends a length that must not exceed `bound`.
#[inline]
fn put_bounded_length(length: usize, bound: u64, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
    let length = leaf::length_as_u64(length);
    if length > bound {
        return Err(EncodeError::BoundExceeded { path: Path::default(), length, bound });
    }
    length.put(encoder)
}

/// What a set or map of `length` entries may take in memory, counted in entries: trees keep nodes of eleven, of which
/// about half are used in the worst case, tables keep free places.
#[inline]
const fn entries_charged(length: usize) -> usize {
    if length == 0 { 0 } else { length.saturating_mul(3).saturating_add(12) }
}

/// What an entry costs beside its own size: its share of a node's links, or a table's control byte.
const ENTRY_OVERHEAD: usize = 8;
