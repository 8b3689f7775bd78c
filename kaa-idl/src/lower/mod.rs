//! Lowers the grammar's pairs to the syntax tree, one function per rule, and reports mistakes that the
//! grammar accepts.
//!
//! Invariants: offsets in the tree are offsets in the whole file; a span ends where its last token ends;
//! names are not resolved here.

mod expressions;
mod fields;
mod items;
mod lowering;
mod members;
mod types;

pub(crate) use lowering::Lowering;
