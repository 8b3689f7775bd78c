//! A crate of an older edition with the strictest lints, around generated code with the unkindest names.

#![forbid(unsafe_code, missing_docs, missing_debug_implementations, unused_results)]
#![forbid(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)]
#![forbid(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::arithmetic_side_effects
)]
#![forbid(clippy::print_stdout, clippy::exit, clippy::let_underscore_must_use)]
#![deny(warnings, unused_qualifications, unreachable_pub, future_incompatible)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]

/// What was generated.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

use api::core::{Box, Clone, Error, Peer, PeerClient, PeerServer, PeerServerProxy};
use kaa_rpc_runtime::{role, Context, Failure, Fault, Service};

/// Implements some of the server's methods; stubs answer for the others.
#[derive(Debug)]
pub struct Office;

impl PeerServer for Office {
    async fn peer(
        &self,
        _cx: Context<api::core::PeerClientProxy>,
        peer: u8,
        context: u8,
    ) -> Result<Box, Fault> {
        Ok(Box::new(peer, context, 0, 0))
    }

    async fn service(&self, _cx: Context<api::core::PeerClientProxy>) -> Result<(), Failure<Error>> {
        Err(Error::Result.into())
    }
}

/// Implements nothing of the client's.
#[derive(Debug)]
pub struct Nobody;

impl PeerClient for Nobody {}

/// Makes a service of each.
#[must_use]
pub fn services() -> (Service<role::Server>, Service<role::Client>) {
    (Peer::server(Office), Peer::client_with(|_peer: PeerServerProxy| Nobody))
}

/// A call is a value that owns its arguments.
#[must_use]
pub fn call(proxy: &PeerServerProxy) -> impl Send + 'static {
    proxy.clone(Clone::new(1, "type", 2, false, true, 3, 4), api::core::CloneOptions::default())
}
