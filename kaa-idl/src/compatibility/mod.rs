//! Comparing two generations of a schema: what an edit breaks, for whom, and what to do instead.
//!
//! [`compare`] finds; [`Report`] shows what was found with the lines of both generations. `docs/idl.md`, "How a
//! schema may change", is the table of all rules.
//!
//! Invariants: nothing is found between a schema and itself; one edit is answered by the one rule that names it, since
//! what an edit drags along is matched first (types, packages, services, methods and fields that were renamed or
//! moved); the cost grows with the size of the schemas, not with its square.
//!
//! ```
//! use kaa_idl::compatibility::{Report, Rule, Settings};
//! use kaa_idl::{MemorySource, compile};
//!
//! let old = compile(&MemorySource::new([("demo.kaa", "package demo;\nstruct Program { id: u64, year: u16 }")]));
//! let new = compile(&MemorySource::new([("demo.kaa", "package demo;\nstruct Program { id: u64 }")]));
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

pub use finding::{Finding, Spot};
pub use packages::compare;
pub use report::Report;
pub use rule::{AtConnect, Category, Rule};
pub use settings::Settings;
