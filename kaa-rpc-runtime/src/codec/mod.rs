//! Payload encoding: values to bytes and back, bounded whatever the bytes say.
//!
//! Leaf values are written as bincode 2 writes them in its *standard* configuration; everything around them is ours:
//! length-prefixed structs that can grow, enums that keep variants they do not know, bounds, a memory budget and a
//! depth limit.
//!
//! Invariants
//! - `leaf` is the only module that names bincode.
//! - Decoding never panics, never recurses deeper than its limit, and never asks for memory that it has not charged to
//!   the message's budget.
//! - Nothing here knows tokio, a clock, or a connection.

mod buffer;
mod decode;
mod encode;
mod error;
mod leaf;
mod path;
mod primitive;
pub mod shape;
mod unknown;
mod wire;

pub use buffer::{Buffer, Position};
pub use decode::{DecodeLimits, Decoder};
pub use encode::Encoder;
pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use path::{Path, Segment};
pub use unknown::UnknownVariant;
pub use wire::Wire;
