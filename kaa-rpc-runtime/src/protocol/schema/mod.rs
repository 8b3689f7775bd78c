//! Comparing schemas where the handshake's fingerprints differ (`docs/wire.md`, section 5).
//!
//! [`SchemaExchange`] is the state machine; `compare` knows the rules and `exact` their strict
//! sister; `payload` is how a table is written.

mod compare;
mod exact;
mod exchange;
mod payload;

pub use compare::Incompatibility;
pub use exact::Compatibility;
pub use exchange::{SchemaExchange, SchemaFailure, SchemaMessage};
pub use payload::{Element, MalformedSchema, MethodTable, Table, TypeTable};
