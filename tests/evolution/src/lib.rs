//! Two generations of one schema, many times over: a module for each folder in `pairs`, in it `old` and `new`.
//!
//! What they do when they meet is shown by this package's tests; `docs/idl.md` has the table.

include!(concat!(env!("OUT_DIR"), "/pairs.rs"));
