//! Streams where a client connects again: what waits is kept, what had begun is not taken up.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::{Backoff, CallError, Client, Incoming, Outcome};
use tokio::net::UnixListener;

use crate::support::frames;
use crate::support::raw::{self, Raw};
use crate::support::*;

/// A client of whoever listens there.
fn persistent_client() -> (Client, UnixListener, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let backoff = Backoff::default().initial(Duration::from_millis(1));
    let client = client_builder(&World::new()).reconnect(backoff);
    (client.connect(format!("unix:{}", path.display()).as_str()).unwrap(), listener, folder)
}

#[tokio::test]
async fn an_idempotent_call_is_sent_again_while_no_item_has_come() {
    let (client, listener, _folder) = persistent_client();
    let numbers: Incoming<u64, Declared> = Incoming::call(&client.peer(), Ask::<COUNT_AGAIN>(5));
    let server = async {
        let mut first = Raw::accept(&listener).await;
        first.next(raw::CALL).await;
        drop(first);
        let mut second = Raw::accept(&listener).await;
        let call = second.next(raw::CALL).await;
        second.send(frames::results(&call, &[1, 7])).await;
        second.send(raw::frame(raw::REPLY, call.id, call.token, raw::OK, b"")).await;
        second
    };
    let (_second, all) = tokio::join!(server, drain(numbers));
    assert_eq!(all, (vec![7], None));
}

#[tokio::test]
async fn an_idempotent_call_whose_items_have_come_is_not_sent_again() {
    let (client, listener, _folder) = persistent_client();
    let numbers: Incoming<u64, Declared> = Incoming::call(&client.peer(), Ask::<COUNT_AGAIN>(5));
    let server = async {
        let mut first = Raw::accept(&listener).await;
        let call = first.next(raw::CALL).await;
        first.send(frames::results(&call, &[1, 7])).await;
        // It has the item when it answers.
        first.send(raw::frame(raw::PING, 0, 0, 0, b"")).await;
        first.next(raw::PONG).await;
        drop(first);
        Raw::accept(&listener).await
    };
    let (_second, (items, error)) = tokio::join!(server, drain(numbers));
    assert_eq!(items, [7]);
    assert!(matches!(error, Some(CallError::Disconnected { outcome: Outcome::Unknown, .. })), "{error:?}");
}

#[tokio::test]
async fn a_stream_of_arguments_that_had_begun_is_cut_and_one_that_waits_is_kept() {
    let (client, listener, _folder) = persistent_client();
    let peer = client.peer();
    let begun = send::<SUM>(&peer, stream::iter([5]));
    let server = async {
        let mut first = Raw::accept(&listener).await;
        first.next(frames::STREAM_ITEM).await;
        drop(first);
    };
    let ((), error) = tokio::join!(server, within(begun));
    assert!(matches!(error, Err(CallError::Disconnected { .. })), "{error:?}");

    // This one waits for the next connection, its stream untouched.
    let waiting = send::<SUM>(&peer, stream::iter([6]));
    let server = async {
        let mut second = Raw::accept(&listener).await;
        let call = second.next(raw::CALL).await;
        let item = second.next(frames::STREAM_ITEM).await;
        assert_eq!((item.id, item.detail, &item.payload[..]), (call.id, 0, &[1, 6][..]));
        let end = second.next(frames::STREAM_END).await;
        assert_eq!((end.id, end.detail), (call.id, frames::FINISHED));
        second.send(raw::frame(raw::REPLY, call.id, call.token, raw::OK, &[6])).await;
        second
    };
    let (_second, sum) = tokio::join!(server, within(waiting));
    assert_eq!(sum, Ok(6));
}

#[tokio::test]
async fn a_detached_handler_learns_that_its_stream_goes_no_further() {
    let pair = Pair::new().await;
    let waiting = StreamExt::chain(stream::iter([1]), stream::pending());
    let mut call = Box::pin(send::<DETACHED_SUM>(&pair.peer, waiting));
    assert!(futures_util::poll!(&mut call).is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    drop(call);
    pair.at_server.until(|counts| !counts.broken.is_empty()).await;
    let broken = pair.at_server.counts().broken;
    assert_eq!(broken, ["the stream broke off: the caller has given the call up"]);
    pair.lives().await;
}
