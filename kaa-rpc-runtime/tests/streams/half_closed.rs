//! A peer that has closed its sending half sends no more items and no more credit: nothing waits for them.

use kaa_rpc_runtime::Limits;

use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::scripted::frames;

/// The peer sends these frames and a Goodbye, closes its sending half, and waits for the reply to its call.
/// After the reply the other side closes the connection.
async fn reply_after_goodbye(pair: &Pair, limits: Limits, bytes: &[u8]) -> frames::ReceivedFrame {
    let mut scripted = scripted_client_with(&pair.socket.path(), limits).await;
    scripted.send(bytes).await;
    scripted.send(frames::goodbye()).await;
    scripted.close_write().await;
    let reply = scripted.next(frames::REPLY).await;
    assert_eq!(scripted.receive().await, None, "the server did not close the connection");
    reply
}

#[tokio::test]
async fn unfinished_arguments_are_broken() {
    let pair = Pair::new().await;
    let begun = [frames::stream_call(1, SUM), frames::items(1, &[1, 7])].concat();
    let reply = reply_after_goodbye(&pair, Limits::default(), &begun).await;
    assert_eq!(reply.detail, frames::FAULT, "{}", reply.text());
    assert!(reply.text().contains("broke off"), "{}", reply.text());
    pair.server_state.assert_no_sums();
}

#[tokio::test]
async fn finished_arguments_are_complete() {
    let pair = Pair::new().await;
    let end = frames::end_of_arguments(1, frames::FINISHED, b"");
    let whole = [frames::stream_call(1, SUM), frames::items(1, &[1, 7]), end].concat();
    let reply = reply_after_goodbye(&pair, Limits::default(), &whole).await;
    assert_eq!((reply.detail, &reply.payload[..]), (frames::OK, &[7][..]));
}

#[tokio::test]
async fn results_over_last_credit_are_cancelled() {
    let pair = Pair::new().await;
    let limits = Limits { stream_window: 100, ..Limits::default() };
    let reply = reply_after_goodbye(&pair, limits, &frames::number_call(1, COUNT, 250)).await;
    assert_eq!(reply.detail, frames::CANCELLED);
    pair.server_state.until_dropped(1).await;
}

#[tokio::test]
async fn results_within_last_credit_arrive() {
    let pair = Pair::new().await;
    let reply = reply_after_goodbye(&pair, Limits::default(), &frames::number_call(1, COUNT, 250)).await;
    assert_eq!(reply.detail, frames::OK);
}
