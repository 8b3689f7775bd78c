//! From syntax trees to the resolved schema.
//!
//! The steps, in order: packages and names (`packages`, `scope`, `imports`), constants and aliases in the
//! order of their dependencies (`order`, `values`), types (`data`, `types`), default values (`defaults`),
//! restrictions on types (`recursion`, `constraints`), services (`services`, `methods`, `includes`), names in
//! generated Rust (`rust_names`, `generated`), and the result (`build`).
//!
//! Invariants: every error is reported where it was written. Nothing recurses deeper than a type expression
//! may nest. A schema with errors is never returned to a user.

mod arguments;
mod attributes;
mod build;
mod constraints;
mod data;
mod defaults;
mod display;
mod duration;
mod evaluated;
mod generated;
mod graph;
mod imports;
mod includes;
mod members;
mod methods;
mod order;
mod packages;
mod recursion;
mod resolver;
mod rust_names;
mod scope;
mod services;
mod streams;
mod tags;
mod types;
mod unknown;
mod values;

pub(crate) use build::{Resolution, resolve};
pub(crate) use packages::Input;
