//! Streams of a client that reconnects: streams that wait are kept, streams that have begun are not resumed.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::{Backoff, CallError, Client, Incoming, Outcome};
use tokio::net::UnixListener;

use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::waiting::*;

/// A client that reconnects, and its socket.
fn reconnecting() -> (Client, UnixListener, SocketDirectory) {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let backoff = Backoff::default().initial(Duration::from_millis(1));
    let client = client_builder(&ServiceState::new()).reconnect(backoff);
    (client.connect(socket.address().as_str()).unwrap(), listener, socket)
}

#[tokio::test]
async fn idempotent_call_is_resent_before_first_item() {
    let (client, listener, _socket) = reconnecting();
    let numbers: Incoming<u64, Declared> = Incoming::call(&client.peer(), NumberCall::<IDEMPOTENT_COUNT>(5));
    let server = async {
        let mut first = ScriptedPeer::accept(&listener).await;
        first.next(frames::CALL).await;
        drop(first);
        let mut second = ScriptedPeer::accept(&listener).await;
        let call = second.next(frames::CALL).await;
        second.send(frames::results(&call, &[1, 7])).await;
        second.send(frames::frame(frames::REPLY, call.id, call.token, frames::OK, b"")).await;
        second
    };
    let (_second, all) = tokio::join!(server, receive_all(numbers));
    assert_eq!(all, (vec![7], None));
}

#[tokio::test]
async fn idempotent_call_is_not_resent_after_items() {
    let (client, listener, _socket) = reconnecting();
    let numbers: Incoming<u64, Declared> = Incoming::call(&client.peer(), NumberCall::<IDEMPOTENT_COUNT>(5));
    let server = async {
        let mut first = ScriptedPeer::accept(&listener).await;
        let call = first.next(frames::CALL).await;
        first.send(frames::results(&call, &[1, 7])).await;
        // When the client answers, it has the item.
        first.send(frames::frame(frames::PING, 0, 0, 0, b"")).await;
        first.next(frames::PONG).await;
        drop(first);
        ScriptedPeer::accept(&listener).await
    };
    let (_second, (items, error)) = tokio::join!(server, receive_all(numbers));
    assert_eq!(items, [7]);
    assert!(matches!(error, Some(CallError::Disconnected { outcome: Outcome::Unknown, .. })), "{error:?}");
}

#[tokio::test]
async fn reconnect_keeps_only_unsent_streams() {
    let (client, listener, _socket) = reconnecting();
    let peer = client.peer();
    let begun = send_stream::<SUM>(&peer, stream::iter([5]));
    let server = async {
        let mut first = ScriptedPeer::accept(&listener).await;
        first.next(frames::STREAM_ITEM).await;
        drop(first);
    };
    let ((), error) = tokio::join!(server, within("the call `begun`", begun));
    assert!(matches!(error, Err(CallError::Disconnected { .. })), "{error:?}");

    // This call waits for the next connection. Its stream has not been polled.
    let waiting = send_stream::<SUM>(&peer, stream::iter([6]));
    let server = async {
        let mut second = ScriptedPeer::accept(&listener).await;
        let call = second.next(frames::CALL).await;
        let item = second.next(frames::STREAM_ITEM).await;
        assert_eq!((item.id, item.detail, &item.payload[..]), (call.id, 0, &[1, 6][..]));
        let end = second.next(frames::STREAM_END).await;
        assert_eq!((end.id, end.detail), (call.id, frames::FINISHED));
        second.send(frames::frame(frames::REPLY, call.id, call.token, frames::OK, &[6])).await;
        second
    };
    let (_second, sum) = tokio::join!(server, within("the call `waiting`", waiting));
    assert_eq!(sum, Ok(6));
}

#[tokio::test]
async fn detached_handlers_stream_breaks_when_call_is_dropped() {
    let pair = Pair::new().await;
    let waiting = StreamExt::chain(stream::iter([1]), stream::pending());
    let mut call = Box::pin(send_stream::<DETACHED_SUM>(&pair.peer, waiting));
    start(&mut call).await;
    pair.server_state.until_started(1).await;
    drop(call);
    pair.server_state.until("a broken stream", |counts| !counts.broken.is_empty()).await;
    let broken = pair.server_state.counts().broken;
    assert_eq!(broken, ["the stream broke off: the caller cancelled the call"]);
    pair.assert_responds().await;
}
