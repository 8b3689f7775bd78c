//! Compares two revisions of a schema: what an edit breaks, and how to avoid it.
//!
//! [`compare`] returns findings; [`Report`] shows them with the source lines of both revisions.
//! `docs/idl.md`, "How a schema may change", lists all rules.
//!
//! Invariants: comparing a schema with itself finds nothing. One edit breaks one rule: renamed and moved
//! types, packages, services, methods and fields are matched first, so that the consequences of an edit are
//! not reported. The cost is not quadratic in the size of the schemas.
//!
//! ```
//! use kaa_idl::compatibility::{Report, Rule, Settings};
//! use kaa_idl::{MemorySource, compile};
//!
//! let compiled = |text: &str| compile(&MemorySource::new([("demo.kaa", text)]));
//! let old = compiled("package demo;\nstruct Program { id: u64, year: u16 }");
//! let new = compiled("package demo;\nstruct Program { id: u64 }");
//! let report = Report::new(&old, &new, "frozen 1", &Settings::default()).expect("two schemas");
//! assert_eq!(report.diagnostics()[0].rule.as_str(), Rule::StructFieldNoDelete.name());
//! ```

mod align;
mod collector;
mod data;
mod derives;
mod enums;
mod fields;
mod finding;
mod methods;
mod packages;
mod pairing;
mod report;
mod rule;
mod services;
mod settings;
mod types;
mod values;

pub use finding::{Annotation, Finding};
pub use packages::compare;
pub use report::Report;
pub use rule::{Category, ConnectOutcome, Rule};
pub use settings::Settings;
