//! Parses text into a syntax tree: scan, match brackets, cut into chunks, parse each chunk, lower it.
//!
//! Invariants: an error in one chunk does not affect the others; parsing takes time linear in the text; the
//! grammar only sees text with balanced brackets of limited depth, because it recurses on them.

mod brackets;
mod characters;
mod chunks;
mod expected;
mod expression;
mod file;
mod hints;
// The generator decides its layout.
#[rustfmt::skip]
mod generated;
mod grammar;
mod scan;
mod tokens;

pub use file::parse;

pub(crate) use expected::{MAX_ERRORS, dangling_doc, missing, unexpected};
pub(crate) use generated::Rule;
pub(crate) use grammar::Grammar;
pub(crate) use hints::Construct;
pub(crate) use scan::{scan, unescape};
pub(crate) use tokens::{Bracket, ScannedFile, Token, TokenKind, after_decoration};
