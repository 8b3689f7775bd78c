//! The parser that pest makes of `grammar.pest`.
//!
//! Invariants: this is the only file that names the generated parser's source.

#![allow(missing_docs, unreachable_pub, reason = "pest generates an enum without documentation")]

use pest_derive::Parser;

#[derive(Parser)]
#[grammar = "grammar.pest"]
pub(crate) struct Grammar;
