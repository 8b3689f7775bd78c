//! Lints: report code that is valid but discouraged.
//!
//! The texts of a [`Compilation`](crate::Compilation) are parsed again, and each family of lints (`names`,
//! `bounds`, `evolution`, `docs`, `unused`) checks every item.
//!
//! Invariants: lints only run on request, so they cost no build any time; a finding is a warning with the
//! lint's name; `#[allow(NAME)]` on a construct silences the lint for the construct and everything inside it;
//! a certain fix keeps every fingerprint.

mod bounds;
mod docs;
mod evolution;
mod fix;
mod linter;
mod names;
mod table;
mod unused;

pub use fix::{apply_fixes, fix};
pub use linter::lint;
pub use table::{Group, Lint, Selection};
