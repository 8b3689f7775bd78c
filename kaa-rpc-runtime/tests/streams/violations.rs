//! Violations of the protocol by streams end the connection with a reason. Late frames are ignored.

use kaa_rpc_runtime::Limits;

use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::waiting::*;

/// Violations, and a part of the reason in the Goodbye.
#[tokio::test]
async fn violations_end_connection_with_reason() {
    let call = frames::stream_call(1, GATED_SUM);
    let item = frames::items(1, &[1, 5]);
    let end = frames::end_of_arguments(1, frames::FINISHED, b"");
    let cases: Vec<(Vec<u8>, &str)> = vec![
        ([&call[..], &frames::items(1, &[0; 1000]), &item].concat(), "beyond its credit"),
        ([&call[..], &end, &item].concat(), "after the end"),
        ([&call[..], &end, &end].concat(), "after the end"),
        (item.clone(), "never opened"),
        (frames::items(9, &[1, 5]), "never opened"),
        (end.clone(), "never opened"),
        ([&call[..], &frames::items(1, &[])].concat(), "StreamItem"),
        ([&call[..], &frames::frame(frames::STREAM_ITEM, 1, 7, 4, &[1, 5])].concat(), "StreamItem"),
        // Only the receiver stops a stream, only the sender ends it.
        ([&call[..], &frames::end_of_arguments(1, frames::STOP_SENDING, b"")].concat(), "StreamEnd"),
        ([&call[..], &frames::end_of_arguments(1, 3, b"")].concat(), "StreamEnd"),
        (
            [
                &call[..],
                &frames::frame(frames::STREAM_END, 1, 7, frames::RECEIVERS_CALL | frames::FINISHED, b""),
            ]
            .concat(),
            "StreamEnd",
        ),
        (
            frames::frame(frames::STREAM_END, 1, 7, frames::RECEIVERS_CALL | frames::STOP_SENDING, b""),
            "never opened",
        ),
        (frames::frame(frames::STREAM_CREDIT, 1, 7, frames::RECEIVERS_CALL | 8, b""), "never opened"),
        (frames::frame(frames::STREAM_CREDIT, 1, 7, 8, b""), "never opened"),
        ([&call[..], &frames::frame(frames::STREAM_CREDIT, 1, 7, 0, b"")].concat(), "StreamCredit"),
        ([&frames::number_call(1, GATED_COUNT, 0)[..], &frames::call(2, ECHO, "")].concat(), ""),
        (frames::frame_with(frames::ONEWAY, (1, 0, ECHO), (8, b""), &[0]), "Oneway"),
    ];
    for (bytes, reason) in cases {
        let limits = Limits { stream_window: 1000, ..Limits::default() };
        let pair = Pair::with(|server| server.limits(limits), |client| client).await;
        let mut scripted = scripted_client(&pair.socket.path()).await;
        scripted.send(&bytes).await;
        if reason.is_empty() {
            // A running handler without a stream of arguments receives no items.
            assert_eq!(scripted.next(frames::REPLY).await.id, 2);
            scripted.send(&item).await;
            let message = scripted.closing_message().await;
            assert!(message.contains("never opened"), "{message:?}");
            continue;
        }
        let message = scripted.closing_message().await;
        assert!(message.contains(reason), "{bytes:02x?}: {message:?}, and not {reason:?}");
        pair.assert_responds().await;
    }
}

#[tokio::test]
async fn violations_of_server_end_connection() {
    type Script = fn(&frames::ReceivedFrame) -> Vec<u8>;
    let cases: Vec<(Script, &str)> = vec![
        (
            |call| {
                frames::frame(frames::STREAM_ITEM, call.id + 1, call.token, frames::RECEIVERS_CALL, &[1, 5])
            },
            "never opened",
        ),
        (
            |call| {
                frames::frame(frames::STREAM_ITEM, call.id, call.token + 1, frames::RECEIVERS_CALL, &[1, 5])
            },
            "never opened",
        ),
        // Items after the reply.
        (
            |call| {
                let reply = frames::frame(frames::REPLY, call.id, call.token, frames::OK, b"");
                [reply, frames::results(call, &[1, 5])].concat()
            },
            "never opened",
        ),
        (
            |call| [frames::results(call, &[0; 1000]), frames::results(call, &[1, 5])].concat(),
            "beyond its credit",
        ),
        (
            |call| {
                frames::frame(frames::STREAM_CREDIT, call.id + 1, call.token, frames::RECEIVERS_CALL | 8, b"")
            },
            "never opened",
        ),
    ];
    for (script, reason) in cases {
        let socket = SocketDirectory::new();
        let listener = socket.listener();
        let limits = Limits { stream_window: 1000, ..Limits::default() };
        let client = client_builder(&ServiceState::new()).limits(limits);
        let client = client.connect(socket.address().as_str()).unwrap();
        let mut numbers = receive_stream::<COUNT>(&client.peer(), 3);
        let peer = async {
            let mut scripted = ScriptedPeer::accept(&listener).await;
            let call = scripted.next(frames::CALL).await;
            scripted.send(script(&call)).await;
            let message = scripted.closing_message().await;
            assert!(message.contains(reason), "{message:?}, and not {reason:?}");
        };
        let (_, ()) = tokio::join!(within("the next item", numbers.next()), peer);
    }
}

#[tokio::test]
async fn excess_credit_ends_connection() {
    let pair = Pair::new().await;
    let mut scripted = scripted_client(&pair.socket.path()).await;
    scripted.send(frames::number_call(1, GATED_COUNT, 0)).await;
    pair.server_state.gate.add_permits(1);
    let first = scripted.next(frames::STREAM_ITEM).await;
    assert_eq!((first.id, first.detail, &first.payload[..]), (1, frames::RECEIVERS_CALL, &[1, 0][..]));
    scripted.send(frames::frame(frames::STREAM_CREDIT, 1, 7, 26, b"")).await;
    scripted.send(frames::frame(frames::STREAM_CREDIT, 1, 7, 1, b"")).await;
    let message = scripted.closing_message().await;
    assert!(message.contains("more credit for call 1"), "{message:?}");
}

/// Frames that were sent before their sender could know that they are not wanted.
#[tokio::test]
async fn late_stream_frames_are_ignored() {
    let pair = Pair::new().await;
    let mut scripted = scripted_client(&pair.socket.path()).await;
    scripted.send(frames::stream_call(1, FIRST)).await;
    scripted.send(frames::items(1, &[1, 5])).await;
    assert_eq!(scripted.next(frames::REPLY).await.payload, [5]);
    scripted.send(frames::items(1, &[1, 6])).await;
    scripted.send(frames::end_of_arguments(1, frames::FINISHED, b"")).await;
    scripted.send(frames::frame(frames::STREAM_CREDIT, 1, 7, 26, b"")).await;

    scripted.send(frames::stream_call(2, DROP_STREAM)).await;
    scripted.send(frames::items(2, &[1, 8])).await;
    let stop = scripted.next(frames::STREAM_END).await;
    assert_eq!((stop.id, stop.token, stop.detail), (2, 7, frames::RECEIVERS_CALL | frames::STOP_SENDING));
    scripted.send(frames::items(2, &[1, 9])).await;
    scripted.send(frames::end_of_arguments(2, frames::FINISHED, b"")).await;
    pair.server_state.gate.add_permits(1);
    assert_eq!(scripted.next(frames::REPLY).await.payload, [8]);

    // Items for a method without a stream of arguments are discarded.
    scripted.send(frames::stream_call(3, ECHO)).await;
    scripted.send(frames::items(3, &[1, 8])).await;
    assert_eq!(scripted.next(frames::REPLY).await.id, 3);
    // A stream of arguments that the call does not have is broken, and not empty.
    scripted.send(frames::number_call(4, SUM, 0)).await;
    let reply = scripted.next(frames::REPLY).await;
    assert_eq!((reply.id, reply.detail), (4, frames::FAULT));
    assert!(reply.text().contains("no stream parameter"), "{}", reply.text());
}
