//! Compiles `.kaa` files into Rust, from a build script.
//!
//! Put `.kaa` files into the folder `kaa` of your package, call [`compile`] in `build.rs`, and include the result:
//!
//! ```no_run
//! // build.rs
//! fn main() -> kaa_rpc_build::Result {
//!     kaa_rpc_build::compile()
//! }
//! ```
//! ```text
//! // src/main.rs
//! mod api {
//!     kaa_rpc_runtime::include_kaa!();
//! }
//! use api::tv::epg::*;
//! ```
//!
//! [`configure`] is for everything that should differ: other folders, more derives, types of your own.
//!
//! # What comes out
//!
//! A module per package, nested as the packages are. In it, for `service Epg`: the traits `EpgServer` and `EpgClient`
//! to implement, the proxies `EpgServerProxy` and `EpgClientProxy` to call through, `Epg` to make services of
//! implementations, and a module `epg` with every call as a value; structs and enums with every derive that their
//! fields allow; constants and aliases. Generated code needs the runtime and nothing else, and is meant to be read.
//!
//! - **Names** stay as they were written, but methods, fields and parameters become `snake_case`, keywords become raw
//!   (`r#type`), and a package or service module that would hide a primitive type gets a `_` (`bool_`).
//! - **serde** knows fields and variants by their names on the wire, and fields with a default may be missing. It knows
//!   arrays of more than 32 elements as fields and in newtypes only: what holds `Option<[u8; 64]>` has no serde.
//! - **Lints** that generated code does not follow are allowed where it stands. `#![forbid(missing_docs)]` and clippy's
//!   restrictions against panics can be forbidden all the same; single lints of the groups `clippy::all`, `pedantic`,
//!   `nursery` and `cargo` can be denied, not forbidden.
//! - **Enums** have no `Default` unless one is asked for, with `#[rust(derive(Default))]` or [`Config::derive`].
//!
//! # Invariants
//!
//! Code is built as syntax trees and printed by `prettyplease`, never glued from text. Every path in it is absolute or
//! relative to the tree, so that no name in a `.kaa` file can capture another. The same input gives the same bytes.

mod checks;
mod client;
mod codec;
mod config;
mod derives;
mod documentation;
mod emit;
mod enums;
mod error;
mod flags;
mod foreign;
mod frozen;
mod generator;
mod methods;
mod module_context;
mod names;
mod newtypes;
mod notes;
mod options;
mod server;
mod settings;
mod sizes;
mod tables;
mod traverse;
mod types;
mod values;
mod zeros;

pub use config::{Config, Roles};
pub use emit::{GeneratedFile, write_files};
pub use error::{Error, Result};

/// Compiles every `.kaa` file under the folder `kaa` of the package that is being built, with default settings.
///
/// # Errors
///
/// When a `.kaa` file is wrong, there is none, or a file cannot be written. Return the error from `main`: it prints
/// as compiler diagnostics.
pub fn compile() -> Result {
    configure().compile()
}

/// Settings to change before [`Config::compile`].
#[must_use]
pub fn configure() -> Config {
    Config::default()
}
