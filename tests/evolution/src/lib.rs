//! Pairs of generations of one schema: a module for each directory in `pairs`, with the modules `old` and `new`.
//!
//! The tests of this package connect them; `docs/idl.md` has the table of their results.

include!(concat!(env!("OUT_DIR"), "/pairs.rs"));
