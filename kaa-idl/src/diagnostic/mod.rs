//! Errors and warnings of the compiler: diagnostics with stable names, and their rendering for a terminal.
//!
//! Invariants: a name never changes its meaning. Every diagnostic has one primary place. The time to render
//! is proportional to the size of the output, not to the size of the files.

mod code;
mod message;
mod render;

pub use code::{Code, RuleName, UnknownCode};
pub use message::{Certainty, Diagnostic, Edit, Fix, Label, Place, Severity};
pub use render::{RenderStyle, Rendering};

pub(crate) use render::{SourceText, Sources, render};
