//! The one layout of `.kaa` files: 4 blanks of indentation, 100 columns, everything else decided here.
//!
//! A file's way: text → tokens with their comments ([`tokens`]) → imports in order ([`imports`]) → brackets and flat
//! widths ([`outline`]) → lines ([`printer`], [`flow`], [`lists`], [`items`]) → a second look ([`check`]).
//!
//! Invariants: a file with errors is not formatted; the result parses to the same tree, imports aside in the same
//! order, and formatting it again changes nothing; every comment belongs to a token and is printed with it, and the
//! result is read once more before it is handed out, so that nothing can be lost; time is linear in the text.

mod check;
mod file;
mod flow;
mod imports;
mod items;
mod lists;
mod outline;
mod printer;
mod tokens;

pub use file::format;
