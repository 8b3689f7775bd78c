//! The resolved schema as JSON, with the keys that `docs/command.md` documents.
//!
//! Invariants: within one [`packages::VERSION`] a published key keeps its name and meaning; every object
//! always has all its keys, except `attributes`, which has those that the declaration has; types and services
//! have qualified names; integers that may need more than 53 bits are strings.

mod declarations;
mod packages;
mod services;
mod types;
mod values;

pub(crate) use packages::Document;
