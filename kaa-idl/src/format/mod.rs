//! Formats `.kaa` files in one layout without options: 4 spaces of indentation, at most 100 columns.
//!
//! Steps: text → tokens with their comments ([`tokens`]) → sorted imports ([`imports`]) → brackets and widths
//! ([`outline`]) → lines ([`printer`], [`flow`], [`lists`], [`items`]) → comparison with the input
//! ([`file`]).
//!
//! Invariants: a file with errors is not formatted; the result parses to the same tree, except for the order
//! of imports; formatting the result again changes nothing; every comment belongs to a token and is printed
//! with it; the result is compared with the input before it is returned, so that nothing is lost; formatting
//! takes time linear in the text.

mod file;
mod flow;
mod imports;
mod items;
mod lists;
mod outline;
mod printer;
mod tokens;

pub use file::format;
