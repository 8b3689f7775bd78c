//! From the grammar's pairs to the syntax tree, one function per rule, and what is to be said about accepted slips.
//!
//! Invariants: offsets in the tree are those of the whole file; a pair's span ends where its last token ends; nothing
//! is looked up here.

mod expressions;
mod fields;
mod items;
mod lowering;
mod members;
mod types;

pub(crate) use lowering::Lowering;
