//! Every item arrives once and in order: in either direction and in both, from servers and clients, with any
//! limits.

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::{Limits, Outgoing};

use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::scripted::frames;
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::waiting::*;

/// Enough for many frames and many grants of credit.
const MANY: u64 = 200_000;

#[tokio::test]
async fn results_arrive_in_order() {
    let pair = Pair::new().await;
    assert_eq!(receive_all(receive_stream::<COUNT>(&pair.peer, MANY)).await, ((0..MANY).collect(), None));
    assert_eq!(receive_all(receive_stream::<COUNT>(&pair.peer, 0)).await, (vec![], None));
    pair.assert_responds().await;
}

#[tokio::test]
async fn arguments_arrive_in_order() {
    let pair = Pair::new().await;
    assert_eq!(
        within("the result of SUM", send_stream::<SUM>(&pair.peer, stream::iter(0..MANY))).await,
        Ok(MANY * (MANY - 1) / 2)
    );
    assert_eq!(within("the result of SUM", send_stream::<SUM>(&pair.peer, stream::empty())).await, Ok(0));
    pair.assert_responds().await;
}

#[tokio::test]
async fn items_flow_in_both_directions_at_once() {
    let pair = Pair::new().await;
    let doubled = exchange_streams::<DOUBLE>(&pair.peer, stream::iter(0..MANY));
    assert_eq!(receive_all(doubled).await, ((0..MANY).map(|number| number * 2).collect(), None));
    pair.assert_responds().await;
}

#[tokio::test]
async fn item_larger_than_send_quota_arrives() {
    let pair = Pair::new().await;
    // Around the quota of a turn, and far above it.
    for letters in [60_000, 65_400, 65_536, 70_000, 400_000, 4_000_000] {
        let (items, error) = receive_all(receive_texts(&pair.peer, letters)).await;
        let lengths: Vec<_> = items.iter().map(|item| item.len() as u64).collect();
        assert_eq!((lengths, error), (vec![5, letters, 4], None));
    }
}

#[tokio::test]
async fn both_sides_serve_streams() {
    let pair = Pair::new().await;
    let client_peer = pair.client_peer().await;
    let to_server = exchange_streams::<DOUBLE>(&pair.peer, stream::iter(0..MANY));
    let to_client = exchange_streams::<DOUBLE>(&client_peer, stream::iter(0..MANY));
    let (to_server, to_client) = tokio::join!(receive_all(to_server), receive_all(to_client));
    assert_eq!(to_server, to_client, "calls of both sides have the same ids, but never mix");
    assert_eq!(to_server.0.len() as u64, MANY);
}

#[tokio::test]
async fn streams_work_with_minimal_limits() {
    let limits = Limits { max_inbound_calls: 1, stream_window: 1, max_frame: 1024, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    let doubled = exchange_streams::<DOUBLE>(&pair.peer, stream::iter(0..2000));
    assert_eq!(receive_all(doubled).await, ((0..2000).map(|number| number * 2).collect(), None));
    assert_eq!(
        within("the result of SUM", send_stream::<SUM>(&pair.peer, stream::iter(0..2000))).await,
        Ok(1_999_000)
    );
    pair.assert_responds().await;
}

#[tokio::test]
async fn handler_calls_its_caller_between_items() {
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    assert_eq!(receive_all(receive_stream::<CALL_BACK>(&pair.peer, 100)).await, ((0..100).collect(), None));
}

#[tokio::test]
async fn items_of_all_sizes_arrive() {
    let limits = Limits { max_frame: 64 * 1024, stream_window: 1000, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    // The largest text is exactly a frame, with the lengths of text and item and the header.
    for letters in [0, 200, 250, 251, 999, 40_000, 64 * 1024 - 24 - 5 - 5 - 2 * 2] {
        let (items, error) = receive_all(receive_texts(&pair.peer, letters)).await;
        let lengths: Vec<usize> = items.iter().map(String::len).collect();
        assert_eq!((lengths, error), (vec![5, letters as usize, 4], None));
    }
    pair.assert_responds().await;
}

#[tokio::test]
async fn streams_of_queued_calls_arrive() {
    let state = ServiceState::new();
    let socket = SocketDirectory::new();
    let _server = server_builder(&state).listen(socket.address().as_str()).await.unwrap();
    let client = client_of(&socket);
    let doubled = exchange_streams::<DOUBLE>(&client.peer(), stream::iter(0..MANY));
    let sum = within("the result of SUM", send_stream::<SUM>(&client.peer(), stream::iter(0..MANY)));
    let (sum, doubled) = tokio::join!(sum, receive_all(doubled));
    assert_eq!(sum, Ok(MANY * (MANY - 1) / 2));
    assert_eq!(doubled, ((0..MANY).map(|number| number * 2).collect(), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousand_streams_run_at_once() {
    let limits = Limits { max_inbound_calls: 2000, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    let tasks: Vec<_> = (0..1000_u64)
        .map(|index| {
            let peer = pair.peer.clone();
            tokio::spawn(async move {
                let doubled = exchange_streams::<DOUBLE>(&peer, stream::iter(index..index + 500));
                let expected: Vec<u64> = (index..index + 500).map(|number| number * 2).collect();
                assert_eq!(receive_all(doubled).await, (expected, None), "stream {index}");
            })
        })
        .collect();
    for task in tasks {
        within("the task `task`", task).await.unwrap();
    }
    pair.assert_responds().await;
}

#[tokio::test]
async fn pausing_producer_flushes_its_item() {
    let pair = Pair::new().await;
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let numbers = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let mut doubled = exchange_streams::<DOUBLE>(&pair.peer, Outgoing::new(numbers));
    for number in 0..100 {
        within("the producer to take a number", sender.send(number)).await.unwrap();
        assert_eq!(within("the next item", doubled.next()).await, Some(Ok(number * 2)));
    }
    drop(sender);
    assert_eq!(within("the next item", doubled.next()).await, None);
}

#[tokio::test]
async fn incoming_implements_futures_stream() {
    let pair = Pair::new().await;
    let numbers = receive_stream::<COUNT>(&pair.peer, 10).map(Result::unwrap);
    let all: Vec<u64> = within("all items", numbers.collect()).await;
    assert_eq!(all, (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn ready_items_share_frames() {
    let pair = Pair::new().await;
    let mut scripted = scripted_client(&pair.socket.path()).await;
    scripted.send(frames::number_call(1, COUNT, 200)).await;
    let mut count = 0;
    while scripted.receive().await.unwrap().kind != frames::REPLY {
        count += 1;
    }
    // One frame, or a few where the task was delayed between two items.
    assert!((1..=20).contains(&count), "{count} frames for 200 items");
}
