//! Lints: what is legal and still better written otherwise.
//!
//! A file's way: the texts of a [`Compilation`](crate::Compilation) are parsed once more, and every item is looked at
//! by each family of lints (`names`, `bounds`, `evolution`, `docs`, `imports`, `allow`).
//!
//! Invariants: compiling costs nothing for them, since they run only when asked; a finding is a warning with the lint's
//! name; `#[allow(NAME)]` on a construct silences the lint there and in all that the construct holds; a fix that is
//! called certain leaves every fingerprint as it is.

mod allow;
mod bounds;
mod docs;
mod evolution;
mod fix;
mod imports;
mod linter;
mod names;
mod selection;
mod table;

pub use fix::{apply_fixes, fix};
pub use linter::lint;
pub use selection::Selection;
pub use table::{Group, Lint};
