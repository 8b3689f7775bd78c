//! Payload encoding: values to bytes and back, with limits that hold for any input.
//!
//! Leaf values are encoded as by bincode 2 in its *standard* configuration. Everything else is specific to
//! this crate: length-prefixed structs that can grow, enums that keep unknown variants, bounds, a memory
//! budget and a depth limit.
//!
//! ```
//! use bytes::Bytes;
//! use kaa_rpc_runtime::codec::{Buffer, DecodeLimits, Decoder, Encoder, Wire, shape};
//!
//! // In the schema: `Vec<String<..=64>, ..=10>`.
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
//! - Only `leaf` uses bincode.
//! - Decoding never panics, never recurses deeper than its limit, and never allocates memory that it has not
//!   charged to the message's budget.
//! - The codec does not know tokio, a clock, or a connection.

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
