//! Metadata: it reaches the handler, and malformed metadata ends the connection.

use kaa_rpc_runtime::codegen::{EncodeError, Encoder, Method, MethodDescriptor};
use kaa_rpc_runtime::{Call, CallError, CloseReason, Metadata, OnewayCall};

use kaa_rpc_test_support::scripted::frames;
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

fn metadata() -> Metadata {
    Metadata::new().with("colour", "blue").unwrap().with("shape", "round").unwrap()
}

#[tokio::test]
async fn metadata_reaches_handler() {
    let pair = Pair::new().await;
    for peer in [pair.peer.clone(), pair.client_peer().await] {
        let with =
            within("the reply to METADATA", call_method::<METADATA>(&peer, "shape").metadata(metadata()))
                .await;
        assert_eq!(with, Ok("round".to_owned()));
        assert_eq!(
            within("the reply to METADATA", call_method::<METADATA>(&peer, "shape")).await,
            Ok("none".to_owned())
        );
    }
}

#[tokio::test]
async fn queued_call_keeps_metadata() {
    let socket = SocketDirectory::new();
    let client = client_builder(&ServiceState::new())
        .reconnect(kaa_rpc_runtime::Backoff::default())
        .connect(socket.address().as_str())
        .unwrap();
    let peer = client.peer();
    let mut call = call_method::<METADATA>(&peer, "colour").metadata(metadata());
    start(&mut call).await;
    let _server = server_builder(&ServiceState::new()).listen(socket.address().as_str()).await.unwrap();
    assert_eq!(within("the call", call).await, Ok("blue".to_owned()));
}

#[tokio::test]
async fn metadata_counts_towards_frame_size() {
    let limits = kaa_rpc_runtime::Limits { max_frame: 4096, ..Default::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let big = Metadata::new().with("big", [7; 3900]).unwrap();
    let error =
        within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x".repeat(1000)).metadata(big.clone()))
            .await
            .unwrap_err();
    assert!(matches!(error, CallError::TooLarge { .. }), "{error:?}");
    let reply = within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x").metadata(big)).await;
    assert_eq!(reply, Ok("x".to_owned()));
}

#[tokio::test]
async fn malformed_metadata_ends_connection() {
    for bad in [&b"\x01"[..], b"\x01B\x00\x00", b"\x01b\x00\x00\x01a\x00\x00"] {
        let (server, _state, socket) = server_with(|server| server).await;
        let mut events = server.events();
        let mut peer = scripted_client(&socket.path()).await;
        peer.send(frames::call_with_metadata(1, ECHO, "hello", b"\x01a\x01\x00b")).await;
        assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("hello"));
        peer.send(frames::call_with_metadata(2, ECHO, "hello", bad)).await;
        let message = peer.closing_message().await;
        assert!(message.contains("metadata"), "{message}");
        let reason = close_reason(&mut events).await;
        assert!(matches!(reason, CloseReason::Protocol(_)), "{reason:?}");
    }
}

/// A call without arguments.
struct BareCall;

impl Method for BareCall {
    type Returns = Text;
    type Throws = std::convert::Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &MethodDescriptor::new(ECHO, "test.Texts", "method");

    fn encode_arguments(&self, _: &mut Encoder<'_>) -> Result<(), EncodeError> {
        Ok(())
    }
}

#[tokio::test]
async fn oversized_metadata_fails_call() {
    let limits = kaa_rpc_runtime::Limits { max_frame: 1024, ..Default::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let large = Metadata::new().with("large", [0; 2000]).unwrap();
    let error =
        within("the call", Call::new(&pair.peer, BareCall).metadata(large.clone())).await.unwrap_err();
    assert!(matches!(error, CallError::TooLarge { limit: 1024, .. }), "{error:?}");
    let error = within("the call", OnewayCall::new(&pair.peer, BareCall).metadata(large)).await.unwrap_err();
    assert!(matches!(error, CallError::TooLarge { limit: 1024, .. }), "{error:?}");
    pair.assert_responds().await;
}
