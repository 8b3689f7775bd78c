//! The steps from text to grammar pairs: scan, match brackets, cut into chunks, parse each chunk.
//!
//! Invariants: an error in one chunk does not affect the others; parsing takes time linear in the text; the
//! grammar only sees text with balanced brackets of limited depth, because it recurses on them.

mod brackets;
mod characters;
mod chunks;
mod expected;
mod expression;
mod hints;
// The generator decides its layout.
#[rustfmt::skip]
mod generated;
mod grammar;
mod scan;
mod tokens;

pub(crate) use brackets::match_brackets;
pub(crate) use chunks::{Chunk, chunks};
pub(crate) use expected::{MAX_ERRORS, dangling_doc, missing, unexpected};
pub(crate) use generated::Rule;
pub(crate) use grammar::Grammar;
pub(crate) use hints::{Construct, recognize_item_start};
pub(crate) use scan::{Scan, scan, unescape};
pub(crate) use tokens::{
    Bracket, ITEM_KEYWORDS, ScannedFile, Token, TokenKind, after_decoration, is_item_keyword, starts_line,
};
