//! Method ids, hashes of types, and fingerprints: what two peers compare before they trust each other's bytes.
//!
//! `docs/idl.md`, "Canonical form", defines every byte that is hashed here.
//!
//! Invariants: nothing depends on the order of items, on docs, aliases, bounds, `since`, `deprecated` or tombstone
//! flags; equal canonical forms give equal hashes on every machine.

mod canonical;
mod fingerprint;
mod tables;

pub use canonical::method_id;
pub use fingerprint::fingerprint;

pub(crate) use canonical::written;
pub(crate) use fingerprint::fill_in;
