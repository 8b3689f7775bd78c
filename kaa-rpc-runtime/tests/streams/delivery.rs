//! Every item arrives once and in order, in either direction and in both, whoever serves, whatever the limits.

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::{Limits, Outgoing};

use crate::support::frames;
use crate::support::raw::{self, Raw};
use crate::support::*;

/// Enough for many frames and many turns of credit.
const MANY: u64 = 200_000;

#[tokio::test]
async fn results_arrive_in_order() {
    let pair = Pair::new().await;
    assert_eq!(drain(listen::<COUNT>(&pair.peer, MANY)).await, ((0..MANY).collect(), None));
    assert_eq!(drain(listen::<COUNT>(&pair.peer, 0)).await, (vec![], None));
    pair.lives().await;
}

#[tokio::test]
async fn arguments_arrive_in_order() {
    let pair = Pair::new().await;
    assert_eq!(within(send::<SUM>(&pair.peer, stream::iter(0..MANY))).await, Ok(MANY * (MANY - 1) / 2));
    assert_eq!(within(send::<SUM>(&pair.peer, stream::empty())).await, Ok(0));
    pair.lives().await;
}

#[tokio::test]
async fn both_directions_at_once() {
    let pair = Pair::new().await;
    let doubled = exchange::<DOUBLE>(&pair.peer, stream::iter(0..MANY));
    assert_eq!(drain(doubled).await, ((0..MANY).map(|number| number * 2).collect(), None));
    pair.lives().await;
}

#[tokio::test]
async fn an_item_larger_than_a_turn_leaves() {
    let pair = Pair::new().await;
    // Around what a turn sends, and far beyond it.
    for letters in [60_000, 65_400, 65_536, 70_000, 400_000, 4_000_000] {
        let (items, error) = drain(texts(&pair.peer, letters)).await;
        let lengths: Vec<_> = items.iter().map(|item| item.len() as u64).collect();
        assert_eq!((lengths, error), (vec![5, letters, 4], None));
    }
}

#[tokio::test]
async fn either_side_serves() {
    let pair = Pair::new().await;
    let back = pair.back().await;
    let there = exchange::<DOUBLE>(&pair.peer, stream::iter(0..MANY));
    let here = exchange::<DOUBLE>(&back, stream::iter(0..MANY));
    let (there, here) = tokio::join!(drain(there), drain(here));
    assert_eq!(there, here, "the same call numbers, and never mixed");
    assert_eq!(there.0.len() as u64, MANY);
}

#[tokio::test]
async fn at_a_limit_of_one_call_and_the_least_window() {
    let limits = Limits { max_inbound_calls: 1, stream_window: 1, max_frame: 1024, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    let doubled = exchange::<DOUBLE>(&pair.peer, stream::iter(0..2000));
    assert_eq!(drain(doubled).await, ((0..2000).map(|number| number * 2).collect(), None));
    assert_eq!(within(send::<SUM>(&pair.peer, stream::iter(0..2000))).await, Ok(1_999_000));
    pair.lives().await;
}

#[tokio::test]
async fn a_handler_asks_its_caller_amid_the_stream() {
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    assert_eq!(drain(listen::<ASK_BACK>(&pair.peer, 100)).await, ((0..100).collect(), None));
}

#[tokio::test]
async fn items_of_any_legal_size() {
    let limits = Limits { max_frame: 64 * 1024, stream_window: 1000, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    // With the length in front of the text and of the item, and the header, exactly a frame.
    for letters in [0, 200, 250, 251, 999, 40_000, 64 * 1024 - 24 - 5 - 5 - 2 * 2] {
        let (items, error) = drain(texts(&pair.peer, letters)).await;
        let lengths: Vec<usize> = items.iter().map(String::len).collect();
        assert_eq!((lengths, error), (vec![5, letters as usize, 4], None));
    }
    pair.lives().await;
}

#[tokio::test]
async fn a_call_made_before_there_is_a_connection() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", folder.path().join("socket").display());
    let _server = server_builder(&world).listen(address.as_str()).await.unwrap();
    let client = client_builder(&World::new()).connect(address.as_str()).unwrap();
    let doubled = exchange::<DOUBLE>(&client.peer(), stream::iter(0..MANY));
    let (sum, doubled) = tokio::join!(send::<SUM>(&client.peer(), stream::iter(0..MANY)), drain(doubled));
    assert_eq!(sum, Ok(MANY * (MANY - 1) / 2));
    assert_eq!(doubled, ((0..MANY).map(|number| number * 2).collect(), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_streams_at_once() {
    let limits = Limits { max_inbound_calls: 2000, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    let tasks: Vec<_> = (0..1000_u64)
        .map(|index| {
            let peer = pair.peer.clone();
            tokio::spawn(async move {
                let doubled = exchange::<DOUBLE>(&peer, stream::iter(index..index + 500));
                let expected: Vec<u64> = (index..index + 500).map(|number| number * 2).collect();
                assert_eq!(drain(doubled).await, (expected, None), "stream {index}");
            })
        })
        .collect();
    for task in tasks {
        within(task).await.unwrap();
    }
    pair.lives().await;
}

#[tokio::test]
async fn an_item_leaves_when_its_producer_pauses() {
    let pair = Pair::new().await;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let numbers = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let mut doubled = exchange::<DOUBLE>(&pair.peer, Outgoing::new(numbers));
    for number in 0..100 {
        sender.send(number).await.unwrap();
        assert_eq!(within(doubled.next()).await, Some(Ok(number * 2)));
    }
    drop(sender);
    assert_eq!(within(doubled.next()).await, None);
}

#[tokio::test]
async fn incoming_is_a_stream_of_the_futures_crate() {
    let pair = Pair::new().await;
    let all: Vec<u64> = listen::<COUNT>(&pair.peer, 10).map(Result::unwrap).collect().await;
    assert_eq!(all, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn items_that_are_ready_share_a_frame() {
    let pair = Pair::new().await;
    let mut raw = Raw::connect(&pair.path()).await;
    raw.send(frames::call_of_number(1, COUNT, 200)).await;
    let mut count = 0;
    while raw.receive().await.unwrap().kind != raw::REPLY {
        count += 1;
    }
    // One, but where the task was held up between two items.
    assert!((1..=20).contains(&count), "{count} frames for 200 items");
}
