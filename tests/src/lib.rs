//! Whole-system tests: what the project promises, over real sockets. This library holds what they share:
//! generated code, and the sockets it runs over.

#![deny(warnings)]

/// Everything that the `.kaa` files of this package declare.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

pub mod desk;
pub mod fixture;
pub mod ledger;
pub mod workshop;

/// The code in the guide, which is compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide.md")]
pub struct Guide;
