//! The five messages of the handshake, byte for byte (`docs/wire.md`, clause 2.3).
//!
//! Invariants: a message is `u16 length | u8 type | fields`, big-endian, with the fields in a fixed order. A
//! decoder accepts exactly what an encoder of some version can produce: all fields, and nothing after them
//! except the extension block.

mod challenge;
mod field;
mod hello;
mod kind;
mod proof;
mod reject;

pub use challenge::Challenge;
pub use field::MalformedMessage;
pub use hello::Hello;
pub use kind::{BindingKind, MAGIC, MAX_VERSIONS, MessageType};
pub use proof::{Accept, Proof};
pub use reject::{Reject, RejectCode};
