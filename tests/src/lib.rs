//! Whole-system tests: what the project promises, over real sockets. This library holds the generated code they share.

#![deny(warnings)]

/// Everything that the `.kaa` files of this package declare.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}
