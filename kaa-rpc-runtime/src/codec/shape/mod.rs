//! Zero-sized descriptions of generic types, which enforce nested bounds: the schema's `Vec<String<..=64>,
//! ..=10>` is `shape::Vec<shape::String<64>, 10>`, and its value is a `Vec<String>`.
//!
//! Invariants
//! - Shapes have no values.
//! - A bound is checked before bytes are written, read or allocated.
//! - Elements take at least one byte on the wire. A sequence of empty elements does not compile.

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

/// The bound of types without a bound.
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

/// The maximum memory of a set or map with `length` entries, counted in entries. Trees have nodes of eleven
/// entries, about half of which may be unused, and hash tables have free slots.
#[inline]
const fn entries_charged(length: usize) -> usize {
    if length == 0 { 0 } else { length.saturating_mul(3).saturating_add(12) }
}

/// The overhead of an entry in bytes: its share of a tree node's links, or the control byte of a hash table.
const ENTRY_OVERHEAD: usize = 8;
