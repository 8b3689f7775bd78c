//! Compiles `.kaa` files into Rust, from a build script.
//!
//! Put `.kaa` files into the folder `kaa` of your package, call [`compile`] in `build.rs`, and include the
//! result:
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
//! [`configure`] changes the defaults: other folders, more derives, your own types.
//!
//! # Generated code
//!
//! Each package becomes a module, nested like the packages. For `service Epg` the module has the traits
//! `EpgServer` and `EpgClient` to implement, the proxies `EpgServerProxy` and `EpgClientProxy` to call
//! through, `Epg` to create services from implementations, and a module `epg` with a struct for each call. It
//! also has structs and enums with every derive that their fields allow, constants and aliases. Generated
//! code depends on the runtime only and is meant to be read.
//!
//! - **Names** are kept, except that methods, fields and parameters become `snake_case`, keywords become raw
//!   identifiers (`r#type`), and the module of a package or service that would hide a primitive type gets a
//!   `_` (`bool_`).
//! - **serde** uses the wire names of fields and variants, and fields with a default may be missing. Arrays
//!   of more than 32 elements are supported as fields and in newtypes only: a type with an `Option<[u8; 64]>`
//!   does not implement serde's traits.
//! - **Lints** that generated code does not follow are allowed in it. A crate can still use
//!   `#![forbid(missing_docs)]` and forbid clippy's restrictions against panics. It can deny, but not forbid,
//!   single lints of the groups `clippy::all`, `pedantic`, `nursery` and `cargo`.
//! - **Enums** implement `Default` only if you request it with `#[rust(derive(Default))]` or
//!   [`Config::derive`].
//!
//! # Invariants
//!
//! The generator builds syntax trees and prints them with `prettyplease`; it never concatenates text. Every
//! path is absolute, or relative to the module tree, so that a name in a `.kaa` file cannot shadow another.
//! The same input gives the same bytes.

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
pub use frozen::read_frozen;

/// Compiles every `.kaa` file under the folder `kaa` of the package that is being built, with default
/// settings.
///
/// # Errors
///
/// If a `.kaa` file has errors, there is no `.kaa` file, or a file cannot be written. Return the error from
/// `main`: it prints as compiler diagnostics.
pub fn compile() -> Result {
    configure().compile()
}

/// Settings to change before [`Config::compile`].
#[must_use]
pub fn configure() -> Config {
    Config::default()
}
