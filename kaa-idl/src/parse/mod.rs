//! From text to syntax tree: scan, match brackets, cut into chunks, parse each chunk with the grammar, lower it.
//!
//! Invariants: a chunk's errors stay in the chunk; everything takes time linear in the text; the grammar only ever
//! sees text whose brackets are balanced and not nested too deep, since it recurses on them.

mod brackets;
mod characters;
mod chunks;
mod expected;
mod expression;
mod file;
mod hints;
// Keeps the layout that its generator gives it.
#[rustfmt::skip]
mod generated;
mod grammar;
mod scan;
mod tokens;

pub use file::parse;

pub(crate) use expected::{MAX_ERRORS, missing, unexpected};
pub(crate) use generated::Rule;
pub(crate) use grammar::Grammar;
pub(crate) use hints::Construct;
pub(crate) use scan::{scan, unescape};
pub(crate) use tokens::{Bracket, ScannedFile, Token, TokenKind};
