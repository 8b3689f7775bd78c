//! A crate of an older edition with the strictest lints, around generated code with names that collide with Rust's.

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

/// The generated code.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

use std::pin::Pin;
use std::task::Poll;

use api::core::{Box, Clone, Error, Peer, PeerClient, PeerServer, PeerServerProxy};
use api::stream::{Item, Streams, StreamsClient, StreamsClientProxy, StreamsServer, StreamsServerProxy};
use kaa_rpc_runtime::codegen::Stream;
use kaa_rpc_runtime::{role, Context, Failure, Fault, Incoming, Service};

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

/// Implements no method of the client's side; stubs answer all of them.
#[derive(Debug)]
pub struct StubClient;

impl PeerClient for StubClient {}

/// Both sides of a service.
#[must_use]
pub fn services() -> (Service<role::Server>, Service<role::Client>) {
    (Peer::server(Office), Peer::client_with(|_peer: PeerServerProxy| StubClient))
}

/// A call is a value that owns its arguments.
#[must_use]
pub fn call(proxy: &PeerServerProxy) -> impl Send + 'static {
    proxy.clone(Clone::new(1, "type", 2, false, true, 3, 4), api::core::CloneOptions::default())
}

/// A stream without items.
#[derive(Debug)]
pub struct EmptyStream;

impl Stream for EmptyStream {
    type Item = Result<u8, Failure<api::stream::Incoming>>;

    fn poll_next(self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(None)
    }
}

impl StreamsServer for Office {
    async fn call_with_stream(
        &self,
        _context: Context<StreamsClientProxy>,
        _call: u8,
        cx: Incoming<u8>,
        _options: u8,
    ) -> Result<
        impl Stream<Item = Result<u8, Failure<api::stream::Incoming>>> + Send,
        Failure<api::stream::Incoming>,
    > {
        drop(cx);
        Ok(EmptyStream)
    }

    async fn next(&self, _cx: Context<StreamsClientProxy>, mut rows: Incoming<Item>) -> Result<(), Fault> {
        while rows.next().await.is_some() {}
        Ok(())
    }
}

impl StreamsClient for StubClient {}

/// Both sides of a service with streams.
#[must_use]
pub fn streams() -> (Service<role::Server>, Service<role::Client>) {
    (Streams::server(Office), Streams::client(StubClient))
}

/// A call whose argument and result are streams.
pub fn incoming(proxy: &StreamsServerProxy, rows: Incoming<u8>) -> Incoming<u8, api::stream::Incoming> {
    let bytes = Bytes(rows);
    proxy.call_with_stream(1, bytes, 2)
}

/// The items of a stream, without its error.
#[derive(Debug)]
struct Bytes(Incoming<u8>);

impl Stream for Bytes {
    type Item = u8;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(context).map(|item| item.and_then(Result::ok))
    }
}
