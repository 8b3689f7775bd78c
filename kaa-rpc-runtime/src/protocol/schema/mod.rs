//! Comparing schemas where the handshake's fingerprints differ (`docs/wire.md`, section 5).
//!
//! [`SchemaExchange`] is the state machine; `compare` knows the rules; `payload` is how a table is written.

mod compare;
mod exchange;
mod payload;

pub use compare::Incompatibility;
pub use exchange::{Message, SchemaExchange, SchemaFailure};
pub use payload::{Element, MalformedSchema, MethodTable, Table, TypeTable};
