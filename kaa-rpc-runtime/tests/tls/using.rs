//! Everything works over TLS as over other transports, and the address is the only setting.

use std::time::Duration;

use futures_util::stream;
use kaa_rpc_runtime::transport::{Address, ConnectOptions, ListenOptions, Listener, PeerAddress, connect};
use kaa_rpc_runtime::{Backoff, Call, Client, CloseReason, Peer, Server};

use crate::fixture::*;
use kaa_rpc_test_support::byte_streams::connect_and_greet;
use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::waiting::*;

/// A connected pair.
struct Pair {
    server: Server,
    _client: Client,
    server_peer: Peer,
    client_peer: Peer,
}

async fn pair() -> Pair {
    let (server_state, client_state) = states();
    let server = server_builder(&server_state).listen(ANY_PORT).await.unwrap();
    let client = client_builder(&client_state).connect(server.address().unwrap().to_string()).unwrap();
    within("the client to connect or fail", client.ready()).await.unwrap();
    let client_peer = within("the server to have a peer", server.peers().next()).await.unwrap();
    Pair { server_peer: client.peer(), client_peer, server, _client: client }
}

async fn assert_responds(peer: &Peer) {
    assert_eq!(within("the reply to ECHO", call_method::<ECHO>(peer, 5)).await, Ok(5));
}

#[tokio::test]
async fn both_sides_call_each_other() {
    let pair = pair().await;
    for peer in [&pair.server_peer, &pair.client_peer] {
        assert_responds(peer).await;
        // Each item is the reply to a call to the caller.
        assert_eq!(receive_all(receive_stream::<CALL_BACK>(peer, 100)).await, ((0..100).collect(), None));
    }
    let calls = futures_util::future::join_all(
        (0..1000).map(|number| call_method::<ECHO>(&pair.server_peer, number)),
    );
    let answers = within("the call `calls`", calls).await;
    assert_eq!(answers, (0..1000).map(Ok).collect::<Vec<_>>());
}

#[tokio::test]
async fn streams_flow_in_both_directions_at_once() {
    const MANY: u64 = 100_000;
    let pair = pair().await;
    let there = exchange_streams::<DOUBLE>(&pair.server_peer, stream::iter(0..MANY));
    let here = exchange_streams::<DOUBLE>(&pair.client_peer, stream::iter(0..MANY));
    let (there, here) = tokio::join!(receive_all(there), receive_all(here));
    assert_eq!(there, here);
    assert_eq!(there, ((0..MANY).map(|number| number * 2).collect(), None));
}

#[tokio::test]
async fn large_frames_pass_in_both_directions() {
    const LETTERS: u64 = 150_000;
    let pair = pair().await;
    let text = "x".repeat(usize::try_from(LETTERS).unwrap());
    for peer in [&pair.server_peer, &pair.client_peer] {
        let (texts, error) = receive_all(receive_texts(peer, LETTERS)).await;
        assert_eq!(error, None);
        assert_eq!(texts, ["first", &text, "last"]);
        assert_eq!(
            within(
                "the call",
                Call::with_stream(peer, CountTextsCall, stream::iter([text.clone(), text.clone()]))
            )
            .await,
            Ok(2)
        );
    }
    // More at a time than the channel takes, from both sides.
    let large = || receive_all(receive_texts(&pair.server_peer, LETTERS));
    let back = || receive_all(receive_texts(&pair.client_peer, LETTERS));
    let (one, two, three, four) = tokio::join!(large(), large(), back(), back());
    for (texts, error) in [one, two, three, four] {
        assert_eq!((texts.len(), error), (3, None));
    }
}

#[tokio::test]
async fn both_sides_know_peer_address() {
    let pair = pair().await;
    let server = pair.server_peer.information().unwrap();
    let PeerAddress::Tls(address) = server.address else { panic!("{server:?}") };
    assert_eq!(address, socket_address(&pair.server));
    assert_eq!(server.address.to_string(), pair.server.address().unwrap().to_string());
    let client = pair.client_peer.information().unwrap();
    assert!(matches!(client.address, PeerAddress::Tls(address) if address.ip().is_loopback()), "{client:?}");
    assert_eq!(client.session, server.session);
}

#[tokio::test]
async fn server_shutdown_finishes_calls() {
    let (server_state, client_state) = states();
    let server = server_builder(&server_state).listen(ANY_PORT).await.unwrap();
    let client = client_builder(&client_state).connect(server.address().unwrap().to_string()).unwrap();
    let mut held = Box::pin(within(
        "the result of GATED_SUM",
        send_stream::<GATED_SUM>(&client.peer(), stream::iter([1, 2, 3])),
    ));
    let begun = server_state.until_started(1);
    tokio::select! {
        () = begun => {}
        early = &mut held => panic!("{early:?}"),
    }
    let end = server.shutdown(LIMIT);
    let finish = async {
        server_state.gate.add_permits(1);
        held.await
    };
    let (report, sum) = within("the shutdown", async { tokio::join!(end, finish) }).await;
    assert_eq!((report.connections, report.aborted, sum), (1, 0, Ok(6)));
    let reason = within("the connection to close", client.closed()).await.to_string();
    assert!(reason.contains("the peer closed the connection"), "{reason}");
}

#[tokio::test]
async fn shutdown_is_not_reported_as_loss() {
    let (server, mut events) = server().await;
    let client = client_at(server.address().unwrap());
    within("the client to connect or fail", client.ready()).await.unwrap();
    within("the server to shut down", server.shutdown(LIMIT)).await;
    assert_eq!(close_reason(&mut events).await, CloseReason::ClosedLocally);
    let goodbye = CloseReason::ClosedByPeer { message: String::new() };
    assert_eq!(within("the connection to close", client.closed()).await, goodbye);

    let (server, mut events) = self::server().await;
    for is_dropped in [false, true] {
        let client = client_at(server.address().unwrap());
        assert_responds(&client.peer()).await;
        if !is_dropped {
            within("the client to shut down", client.shutdown(LIMIT)).await;
            assert_eq!(within("the connection to close", client.closed()).await, CloseReason::ClosedLocally);
        }
        drop(client);
        assert_eq!(close_reason(&mut events).await, goodbye, "is_dropped: {is_dropped}");
    }
}

#[tokio::test]
async fn client_reconnects_to_server_with_new_certificate() {
    let (server_state, client_state) = states();
    let mut server = server_builder(&server_state).listen(ANY_PORT).await.unwrap();
    let address = server.address().unwrap().to_string();
    let backoff = Backoff::default().initial(Duration::from_millis(1)).max(Duration::from_millis(20));
    let client = client_builder(&client_state).reconnect(backoff).connect(address.as_str()).unwrap();
    for _ in 0..3 {
        assert_responds(&client.peer()).await;
        within("the server to shut down", server.shutdown(Duration::ZERO)).await;
        server = server_builder(&server_state).listen(address.as_str()).await.unwrap();
    }
    assert_responds(&client.peer()).await;
}

#[tokio::test]
async fn names_ipv6_and_remote_addresses_work() {
    for (listen, host) in [
        ("tls:0.0.0.0:0", "127.0.0.1"),
        ("tls:[::]:0", "::1"),
        ("tls:127.0.0.1:0", "127.0.0.1"),
        ("tls:localhost:0", "localhost"),
    ] {
        let (server, _events) = server_at(listen, |server| server).await;
        let address = Address::Tls { host: host.to_owned(), port: port(server.address().unwrap()) };
        assert_responds(&client_at(address).peer()).await;
    }
}

#[tokio::test]
async fn only_tls_channels_have_equal_bindings() {
    let options = ListenOptions::new();
    let listener = Listener::bind(&ANY_PORT.parse().unwrap(), &options).await.unwrap();
    let (accepted, connected) = connect_and_greet(&listener, listener.local_address()).await;
    assert!(accepted.channel_binding().is_some(), "{accepted:?}");
    assert!(connected.channel_binding().is_some(), "{connected:?}");

    let plain = Listener::bind(&"tcp:127.0.0.1:0".parse().unwrap(), &options).await.unwrap();
    let (accepted, connected) = connect_and_greet(&plain, plain.local_address()).await;
    assert!(accepted.channel_binding().is_none(), "{accepted:?}");
    assert!(connected.channel_binding().is_none(), "{connected:?}");
}

#[tokio::test]
async fn dropped_handshake_fails_only_its_connection() {
    let listener = Listener::bind(&ANY_PORT.parse().unwrap(), &ListenOptions::new()).await.unwrap();
    let address = listener.local_address().clone();
    // Either end drops the connection during the handshake.
    let options = ConnectOptions::new();
    let mut connecting = Box::pin(connect(&address, &options));
    let accepted = tokio::select! {
        accepted = listener.accept() => accepted.unwrap(),
        connected = &mut connecting => panic!("{connected:?}"),
    };
    drop(accepted);
    let connected = within("the client to fail", connecting).await;
    assert!(connected.is_err(), "{connected:?}");
    // The listener still accepts connections.
    connect_and_greet(&listener, &address).await;
}
