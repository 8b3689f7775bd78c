//! Hints for the syntax of other languages: the tokens around the place where the grammar failed show what
//! was meant, so that the message can give the right syntax.
//!
//! Invariants: a hint claims nothing that the tokens do not show; a fix uses the file's own names; finding a
//! hint takes time linear in the length of the statement.

mod attributes;
mod context;
mod fields;
mod item_start;
mod items;
mod members;
mod recognize;
mod types;
mod variants;

pub(super) use context::SyntaxContext;
pub(crate) use item_start::recognize_item_start;
pub(super) use recognize::recognize;

pub(crate) use context::Construct;
