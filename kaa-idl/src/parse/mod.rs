//! From text to syntax tree: scan, match brackets, cut into chunks, parse each chunk with the grammar, lower it.
//!
//! Invariants: a chunk's errors stay in the chunk; everything takes time linear in the text; the grammar only ever
//! sees text whose brackets are balanced and not nested too deep, since it recurses on them.

mod brackets;
mod chunks;
mod expected;
mod file;
// Generated code keeps the layout that its generator gives it.
#[rustfmt::skip]
#[allow(
    missing_docs, unreachable_pub, unused_qualifications, dead_code, clippy::all, clippy::too_many_lines,
    clippy::allow_attributes_without_reason,
    reason = "pest writes for every user, and without documentation"
)]
mod generated;
mod scan;

pub use file::parse;

pub(crate) use expected::{Excerpt, missing, unexpected};
pub(crate) use generated::{Grammar, Rule};
pub(crate) use scan::unescape;
