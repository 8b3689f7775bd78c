//! A peer that has closed its sending half sends no items and no credit any more: nothing waits for them.

use kaa_rpc_runtime::Limits;

use crate::support::frames;
use crate::support::raw::{self, Raw};
use crate::support::*;

/// The peer takes leave behind these frames, and waits for answers. The reply to its call, behind which this side
/// closes.
async fn reply_after_leaving(pair: &Pair, limits: Limits, bytes: &[u8]) -> raw::Received {
    let mut raw = Raw::connect_with(&pair.path(), limits).await;
    raw.send(bytes).await;
    raw.send(raw::goodbye()).await;
    raw.end().await;
    let reply = raw.next(raw::REPLY).await;
    assert_eq!(raw.receive().await, None, "the connection is over");
    reply
}

#[tokio::test]
async fn arguments_that_had_not_ended_are_broken() {
    let pair = Pair::new().await;
    let begun = [frames::stream_call(1, SUM), frames::items(1, &[1, 7])].concat();
    let reply = reply_after_leaving(&pair, Limits::default(), &begun).await;
    assert_eq!(reply.detail, raw::FAULTY, "{}", reply.text());
    assert!(reply.text().contains("broke off"), "{}", reply.text());
    assert!(pair.at_server.sums.lock().unwrap().is_empty(), "it took the loss for an end");
}

#[tokio::test]
async fn arguments_that_had_ended_are_whole() {
    let pair = Pair::new().await;
    let end = frames::end_of_arguments(1, frames::FINISHED, b"");
    let whole = [frames::stream_call(1, SUM), frames::items(1, &[1, 7]), end].concat();
    let reply = reply_after_leaving(&pair, Limits::default(), &whole).await;
    assert_eq!((reply.detail, &reply.payload[..]), (raw::OK, &[7][..]));
}

#[tokio::test]
async fn results_beyond_the_last_credit_are_no_end() {
    let pair = Pair::new().await;
    let limits = Limits { stream_window: 100, ..Limits::default() };
    let reply = reply_after_leaving(&pair, limits, &frames::call_of_number(1, COUNT, 250)).await;
    assert_eq!(reply.detail, raw::CANCELLED);
    pair.at_server.until(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn results_within_the_last_credit_arrive() {
    let pair = Pair::new().await;
    let reply = reply_after_leaving(&pair, Limits::default(), &frames::call_of_number(1, COUNT, 250)).await;
    assert_eq!(reply.detail, raw::OK);
}
