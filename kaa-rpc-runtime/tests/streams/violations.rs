//! What a peer may not do with streams ends the connection and says why; what is merely late is ignored.

use kaa_rpc_runtime::Limits;
use tokio::net::UnixListener;

use crate::support::frames;
use crate::support::raw::{self, Raw};
use crate::support::*;

/// What ends a connection, and what is said about it in the Goodbye.
#[tokio::test]
async fn violations_end_the_connection_and_say_why() {
    let call = frames::stream_call(1, HOLD);
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
        ([&call[..], &raw::frame(frames::STREAM_ITEM, 1, 7, 4, &[1, 5])].concat(), "StreamItem"),
        // A stop is for the side that takes, an end for the side that sends.
        ([&call[..], &frames::end_of_arguments(1, frames::STOP_SENDING, b"")].concat(), "StreamEnd"),
        ([&call[..], &frames::end_of_arguments(1, 3, b"")].concat(), "StreamEnd"),
        (
            [&call[..], &raw::frame(frames::STREAM_END, 1, 7, frames::YOURS | frames::FINISHED, b"")]
                .concat(),
            "StreamEnd",
        ),
        (raw::frame(frames::STREAM_END, 1, 7, frames::YOURS | frames::STOP_SENDING, b""), "never opened"),
        (raw::frame(frames::STREAM_CREDIT, 1, 7, frames::YOURS | 8, b""), "never opened"),
        (raw::frame(frames::STREAM_CREDIT, 1, 7, 8, b""), "never opened"),
        ([&call[..], &raw::frame(frames::STREAM_CREDIT, 1, 7, 0, b"")].concat(), "StreamCredit"),
        ([&frames::call_of_number(1, TRICKLE, 0)[..], &raw::call(2, ECHO, "")].concat(), ""),
        (raw::frame_with(raw::ONEWAY, (1, 0, ECHO), (8, b""), &[0]), "Oneway"),
    ];
    for (bytes, reason) in cases {
        let limits = Limits { stream_window: 1000, ..Limits::default() };
        let pair = Pair::with(|server| server.limits(limits), |client| client).await;
        let mut raw = Raw::connect(&pair.path()).await;
        raw.send(&bytes).await;
        if reason.is_empty() {
            // A handler at work without a stream parameter has no items.
            assert_eq!(raw.next(raw::REPLY).await.id, 2);
            raw.send(&item).await;
            assert!(raw.last_word().await.contains("never opened"));
            continue;
        }
        let word = raw.last_word().await;
        assert!(word.contains(reason), "{bytes:02x?}: {word:?}, and not {reason:?}");
        pair.lives().await;
    }
}

#[tokio::test]
async fn a_server_may_not_either() {
    type Script = fn(&raw::Received) -> Vec<u8>;
    let cases: Vec<(Script, &str)> = vec![
        (
            |call| raw::frame(frames::STREAM_ITEM, call.id + 1, call.token, frames::YOURS, &[1, 5]),
            "never opened",
        ),
        (
            |call| raw::frame(frames::STREAM_ITEM, call.id, call.token + 1, frames::YOURS, &[1, 5]),
            "never opened",
        ),
        // Nothing comes behind the reply.
        (
            |call| {
                let reply = raw::frame(raw::REPLY, call.id, call.token, raw::OK, b"");
                [reply, frames::results(call, &[1, 5])].concat()
            },
            "never opened",
        ),
        (
            |call| [frames::results(call, &[0; 1000]), frames::results(call, &[1, 5])].concat(),
            "beyond its credit",
        ),
        (
            |call| raw::frame(frames::STREAM_CREDIT, call.id + 1, call.token, frames::YOURS | 8, b""),
            "never opened",
        ),
    ];
    for (script, reason) in cases {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let limits = Limits { stream_window: 1000, ..Limits::default() };
        let client =
            client_builder(&World::new()).limits(limits).connect(format!("unix:{}", path.display()).as_str());
        let client = client.unwrap();
        let mut numbers = listen::<COUNT>(&client.peer(), 3);
        let peer = async {
            let mut raw = Raw::accept(&listener).await;
            let call = raw.next(raw::CALL).await;
            raw.send(script(&call)).await;
            let word = raw.last_word().await;
            assert!(word.contains(reason), "{word:?}, and not {reason:?}");
        };
        let (_, ()) = tokio::join!(within(numbers.next()), peer);
    }
}

#[tokio::test]
async fn credit_beyond_what_was_sent_ends_the_connection() {
    let pair = Pair::new().await;
    let mut raw = Raw::connect(&pair.path()).await;
    raw.send(frames::call_of_number(1, TRICKLE, 0)).await;
    pair.at_server.gate.add_permits(1);
    let first = raw.next(frames::STREAM_ITEM).await;
    assert_eq!((first.id, first.detail, &first.payload[..]), (1, frames::YOURS, &[1, 0][..]));
    raw.send(raw::frame(frames::STREAM_CREDIT, 1, 7, 26, b"")).await;
    raw.send(raw::frame(frames::STREAM_CREDIT, 1, 7, 1, b"")).await;
    let word = raw.last_word().await;
    assert!(word.contains("more credit for call 1"), "{word:?}");
}

/// What was sent before its sender could know that it is in vain.
#[tokio::test]
async fn what_is_late_is_ignored() {
    let pair = Pair::new().await;
    let mut raw = Raw::connect(&pair.path()).await;
    raw.send(frames::stream_call(1, FIRST)).await;
    raw.send(frames::items(1, &[1, 5])).await;
    assert_eq!(raw.next(raw::REPLY).await.payload, [5]);
    raw.send(frames::items(1, &[1, 6])).await;
    raw.send(frames::end_of_arguments(1, frames::FINISHED, b"")).await;
    raw.send(raw::frame(frames::STREAM_CREDIT, 1, 7, 26, b"")).await;

    raw.send(frames::stream_call(2, STOP)).await;
    raw.send(frames::items(2, &[1, 8])).await;
    let stop = raw.next(frames::STREAM_END).await;
    assert_eq!((stop.id, stop.token, stop.detail), (2, 7, frames::YOURS | frames::STOP_SENDING));
    raw.send(frames::items(2, &[1, 9])).await;
    raw.send(frames::end_of_arguments(2, frames::FINISHED, b"")).await;
    pair.at_server.gate.add_permits(1);
    assert_eq!(raw.next(raw::REPLY).await.payload, [8]);

    // Items for a method that takes none wait for nobody.
    raw.send(frames::stream_call(3, ECHO)).await;
    raw.send(frames::items(3, &[1, 8])).await;
    assert_eq!(raw.next(raw::REPLY).await.id, 3);
    // A stream parameter of a call that brings none is broken, and not empty.
    raw.send(frames::call_of_number(4, SUM, 0)).await;
    let reply = raw.next(raw::REPLY).await;
    assert_eq!((reply.id, reply.detail), (4, raw::FAULTY));
    assert!(reply.text().contains("no stream parameter"), "{}", reply.text());
}
