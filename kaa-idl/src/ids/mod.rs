//! Method ids, hashes of types, and fingerprints, which two peers compare when they connect.
//!
//! `docs/idl.md`, "Canonical form", defines every byte that is hashed here.
//!
//! Invariants: nothing depends on the order of items, or on docs, aliases, bounds, `since`, `deprecated` or
//! tombstone flags. Equal canonical forms give equal hashes on every machine.

mod canonical;
mod fingerprint;
mod tables;

pub use canonical::method_id;
pub use fingerprint::fingerprint;

pub(crate) use canonical::type_text;
pub(crate) use fingerprint::compute_hashes;
