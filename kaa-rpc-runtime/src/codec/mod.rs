//! Payload encoding: values to bytes and back, bounded whatever the bytes say.
//!
//! Leaf values are written as bincode 2 writes them in its *standard* configuration; everything around them is ours:
//! length-prefixed structs that can grow, enums that keep variants they do not know, bounds, a memory budget and a
//! depth limit.
//!
//! ```
//! use bytes::Bytes;
//! use kaa_rpc_runtime::codec::{Buffer, DecodeLimits, Decoder, Encoder, Wire, shape};
//!
//! // What the schema writes `Vec<String<..=64>, ..=10>`.
//! type Names = shape::Vec<shape::String<64>, 10>;
//!
//! let mut buffer = Buffer::new();
//! Names::encode(&vec!["news".to_owned()], &mut Encoder::new(&mut buffer, 1024))?;
//! assert_eq!(buffer.len(), 6);
//!
//! let payload = Bytes::from_static(b"\x01\x04news");
//! let names = Names::decode(&mut Decoder::new(&payload, DecodeLimits::default()))?;
//! assert_eq!(names, ["news"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants
//! - `leaf` is the only module that names bincode.
//! - Decoding never panics, never recurses deeper than its limit, and never asks for memory that it has not charged to
//!   the message's budget.
//! - Nothing here knows tokio, a clock, or a connection.

mod buffer;
mod decode;
mod encode;
mod encoded;
mod error;
mod leaf;
mod path;
mod primitive;
pub mod shape;
mod structure;
mod unknown;
mod wire;

pub use buffer::{Buffer, Position};
pub use decode::{DecodeLimits, Decoder};
pub use encode::Encoder;
pub(crate) use encoded::Encoded;
pub use error::{DecodeError, DecodeErrorKind, EncodeError};
pub use path::{Path, Segment};
pub use unknown::UnknownVariant;
pub use wire::Wire;
