//! The kaa language: compiles the text of `.kaa` files to a resolved schema, or to diagnostics.
//!
//! The steps are: [`FileSource`] → text → pairs of the grammar → [`ast`] → [`schema::Schema`], with method
//! ids and fingerprints from [`ids`]. Every step reports [`diagnostic::Diagnostic`]s and continues, so that
//! one run finds the errors of all files.
//!
//! Invariants: nothing panics, whatever the files contain; only [`DiskSource`] does I/O; the same files
//! produce the same schema and the same diagnostics in the same order.
//!
//! ```
//! use kaa_idl::{MemorySource, compile};
//!
//! let source = MemorySource::new([(
//!     "greeting.kaa",
//!     "package greeting;\nservice Greeter { fn greet(name: String) -> String; }",
//! )]);
//! let compilation = compile(&source);
//! let schema = compilation.schema().expect("no errors");
//! assert_eq!(schema.packages[0].services[0].server[0].name, "greet");
//! ```

pub mod ast;
pub mod casing;
pub mod compatibility;
mod compile;
pub mod diagnostic;
mod format;
pub mod frozen;
pub mod ids;
pub mod lint;
mod location;
mod lower;
mod parse;
mod resolve;
pub mod schema;
mod source;
mod suggest;
mod syntax;

pub use compile::{Compilation, compile};
pub use diagnostic::{RenderStyle, Rendering};
pub use format::format;
pub use location::{LineTable, Span};
pub use source::{DiskSource, FileSource, MAXIMUM_FILE_SIZE, MemorySource, SourceError};
pub use suggest::nearest;
pub use syntax::parse;
