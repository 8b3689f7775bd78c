//! Compares schemas if the handshake's fingerprints differ (`docs/wire.md`, section 5).
//!
//! [`SchemaExchange`] is the state machine. `compare` has the rules of compatibility, `exact` finds any
//! difference, and `payload` encodes tables.

mod compare;
mod exact;
mod exchange;
mod payload;

pub use compare::Incompatibility;
pub use exact::Compatibility;
pub use exchange::{SchemaExchange, SchemaFailure, SchemaMessage};
pub use payload::{Element, MalformedSchema, MethodTable, Table, TypeTable};
