//! Support code of the whole-system tests: generated code, and servers and clients that serve it over real sockets.

#![deny(warnings)]

/// Generated from the `.kaa` files of this package.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

pub mod fixture;
pub mod ledger;
pub mod stress;
pub mod workshop;

/// The guide, whose code is compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guide.md")]
pub struct Guide;
