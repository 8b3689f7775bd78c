//! What the compiler tells people: diagnostics with stable names, and how they look on a terminal.
//!
//! Invariants: a name never changes its meaning; every diagnostic has one primary place; rendering costs time in
//! proportion to what is shown, not to the size of the files.

mod code;
mod message;
mod render;
mod rule;

pub use code::{Code, UnknownCode};
pub use message::{Certainty, Diagnostic, Edit, Fix, Label, Place, Severity};
pub use render::{RenderStyle, Rendering};
pub use rule::RuleName;

pub(crate) use render::{SourceText, Sources, render};
