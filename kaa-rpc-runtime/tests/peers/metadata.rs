//! Metadata: what a call carries beside its arguments reaches the handler, and what is no metadata ends the connection.

use kaa_rpc_runtime::codegen::{EncodeError, Encoder, Method, MethodDescriptor};
use kaa_rpc_runtime::{Call, CallError, CloseReason, Metadata, OnewayCall};

use crate::limits::why_closed;
use crate::support::raw::{self, Raw};
use crate::support::*;

fn metadata() -> Metadata {
    Metadata::new().with("colour", "blue").unwrap().with("shape", "round").unwrap()
}

#[tokio::test]
async fn a_handler_sees_what_its_caller_sent_along() {
    let pair = Pair::new().await;
    for peer in [pair.peer.clone(), pair.back().await] {
        let with = within(ask::<METADATA>(&peer, "shape").metadata(metadata())).await;
        assert_eq!(with, Ok("round".to_owned()));
        assert_eq!(within(ask::<METADATA>(&peer, "shape")).await, Ok("none".to_owned()));
    }
}

#[tokio::test]
async fn a_call_that_waits_keeps_its_metadata() {
    let place = Place::new();
    let client = client_builder(&World::new())
        .reconnect(kaa_rpc_runtime::Backoff::default())
        .connect(place.address().as_str())
        .unwrap();
    let peer = client.peer();
    let mut call = ask::<METADATA>(&peer, "colour").metadata(metadata());
    assert!(poll_once(&mut call).await.is_pending());
    let _server = server_builder(&World::new()).listen(place.address().as_str()).await.unwrap();
    assert_eq!(within(call).await, Ok("blue".to_owned()));
}

#[tokio::test]
async fn metadata_counts_towards_the_frame() {
    let limits = kaa_rpc_runtime::Limits { max_frame: 4096, ..Default::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let big = Metadata::new().with("big", [7; 3900]).unwrap();
    let error = within(ask::<ECHO>(&pair.peer, "x".repeat(1000)).metadata(big.clone())).await.unwrap_err();
    assert!(
        matches!(error, CallError::TooLarge { limit: 4096, .. } | CallError::TooLarge { .. }),
        "{error:?}"
    );
    assert!(within(ask::<ECHO>(&pair.peer, "x").metadata(big)).await.is_ok());
}

#[tokio::test]
async fn what_is_no_metadata_ends_the_connection() {
    for bad in [&b"\x01"[..], b"\x01B\x00\x00", b"\x01b\x00\x00\x01a\x00\x00"] {
        let (server, _world, place) = server_with(|server| server).await;
        let mut events = server.events();
        let mut peer = Raw::connect(&place.path()).await;
        peer.send(raw::call_with_metadata(1, ECHO, "hello", b"\x01a\x01\x00b")).await;
        assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("hello"));
        peer.send(raw::call_with_metadata(2, ECHO, "hello", bad)).await;
        assert!(peer.last_word().await.contains("metadata"));
        assert!(matches!(why_closed(&mut events).await, CloseReason::Protocol(_)));
    }
}

/// A call without arguments.
struct Bare;

impl Method for Bare {
    type Returns = Text;
    type Throws = std::convert::Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &MethodDescriptor::new(ECHO, "test.World", "method");

    fn encode_arguments(&self, _: &mut Encoder<'_>) -> Result<(), EncodeError> {
        Ok(())
    }
}

#[tokio::test]
async fn metadata_alone_may_be_over_the_frame() {
    let limits = kaa_rpc_runtime::Limits { max_frame: 1024, ..Default::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let large = Metadata::new().with("large", [0; 2000]).unwrap();
    let error = within(Call::new(&pair.peer, Bare).metadata(large.clone())).await.unwrap_err();
    assert!(matches!(error, CallError::TooLarge { limit: 1024, .. }), "{error:?}");
    let error = within(OnewayCall::new(&pair.peer, Bare).metadata(large)).await.unwrap_err();
    assert!(matches!(error, CallError::TooLarge { limit: 1024, .. }), "{error:?}");
    pair.lives().await;
}
