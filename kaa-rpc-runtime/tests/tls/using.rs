//! What users do over TLS: all that they do over other transports, with an address as their only setting.

use std::time::Duration;

use futures_util::stream;
use kaa_rpc_runtime::transport::{Address, ConnectOptions, ListenOptions, Listener, PeerAddress, connect};
use kaa_rpc_runtime::{Backoff, Call, Client, CloseReason, Peer, Server};

use crate::streams::*;
use crate::support::*;
use crate::talk::converse;

/// A connected pair.
struct Pair {
    server: Server,
    _client: Client,
    there: Peer,
    back: Peer,
}

async fn pair() -> Pair {
    let (at_server, at_client) = worlds();
    let server = server_builder(&at_server).listen(ANY_PORT).await.unwrap();
    let client = client_builder(&at_client).connect(server.address().unwrap().to_string()).unwrap();
    within(client.ready()).await.unwrap();
    let back = within(server.peers().next()).await.unwrap();
    Pair { there: client.peer(), back, server, _client: client }
}

async fn lives(peer: &Peer) {
    assert_eq!(within(ask::<ECHO>(peer, 5)).await, Ok(5));
}

#[tokio::test]
async fn both_sides_call_each_other() {
    let pair = pair().await;
    for peer in [&pair.there, &pair.back] {
        lives(peer).await;
        // Each item is asked for at the caller.
        assert_eq!(drain(listen::<ASK_BACK>(peer, 100)).await, ((0..100).collect(), None));
    }
    let calls = futures_util::future::join_all((0..1000).map(|number| ask::<ECHO>(&pair.there, number)));
    let answers = within(calls).await;
    assert!(answers.into_iter().eq((0..1000).map(Ok)));
}

#[tokio::test]
async fn streams_run_both_ways_at_once() {
    const MANY: u64 = 100_000;
    let pair = pair().await;
    let there = exchange::<DOUBLE>(&pair.there, stream::iter(0..MANY));
    let here = exchange::<DOUBLE>(&pair.back, stream::iter(0..MANY));
    let (there, here) = tokio::join!(drain(there), drain(here));
    assert_eq!(there, here);
    assert_eq!(there, ((0..MANY).map(|number| number * 2).collect(), None));
}

#[tokio::test]
async fn frames_of_the_largest_size_pass_in_both_directions() {
    const LETTERS: u64 = 150_000;
    let pair = pair().await;
    let text = "x".repeat(usize::try_from(LETTERS).unwrap());
    for peer in [&pair.there, &pair.back] {
        let (texts, error) = drain(texts(peer, LETTERS)).await;
        assert_eq!(error, None);
        assert_eq!(texts, ["first", &text, "last"]);
        assert_eq!(
            within(Call::with_stream(peer, TakeTexts, stream::iter([text.clone(), text.clone()]))).await,
            Ok(2)
        );
    }
    // More at once than the channel takes, from both sides.
    let large = || drain(texts(&pair.there, LETTERS));
    let back = || drain(texts(&pair.back, LETTERS));
    let (one, two, three, four) = tokio::join!(large(), large(), back(), back());
    for (texts, error) in [one, two, three, four] {
        assert_eq!((texts.len(), error), (3, None));
    }
}

#[tokio::test]
async fn both_sides_are_told_where_the_other_is() {
    let pair = pair().await;
    let server = pair.there.information().unwrap();
    let PeerAddress::Tls(address) = server.address else { panic!("{server:?}") };
    assert_eq!(address, socket_address(&pair.server));
    assert_eq!(server.address.to_string(), pair.server.address().unwrap().to_string());
    let client = pair.back.information().unwrap();
    assert!(matches!(client.address, PeerAddress::Tls(address) if address.ip().is_loopback()), "{client:?}");
    assert_eq!(client.session, server.session);
}

#[tokio::test]
async fn a_server_that_ends_says_so_and_its_calls_are_finished() {
    let (at_server, at_client) = worlds();
    let server = server_builder(&at_server).listen(ANY_PORT).await.unwrap();
    let client = client_builder(&at_client).connect(server.address().unwrap().to_string()).unwrap();
    let mut held = Box::pin(within(send::<HOLD>(&client.peer(), stream::iter([1, 2, 3]))));
    let begun = at_server.until(|counts| counts.started == 1);
    tokio::select! {
        () = begun => {}
        early = &mut held => panic!("{early:?}"),
    }
    let end = server.shutdown(LONGEST);
    let finish = async {
        at_server.gate.add_permits(1);
        held.await
    };
    let (report, sum) = tokio::join!(end, finish);
    assert_eq!((report.connections, report.aborted, sum), (1, 0, Ok(6)));
    assert!(within(client.closed()).await.to_string().contains("the peer closed the connection"));
}

#[tokio::test]
async fn whoever_takes_leave_is_not_told_of_a_loss() {
    let (server, mut events) = server().await;
    let client = client_at(server.address().unwrap());
    within(client.ready()).await.unwrap();
    server.shutdown(LONGEST).await;
    assert_eq!(end(&mut events).await, CloseReason::ClosedLocally);
    let farewell = CloseReason::ClosedByPeer { message: String::new() };
    assert_eq!(within(client.closed()).await, farewell);

    let (server, mut events) = self::server().await;
    for is_abrupt in [false, true] {
        let client = client_at(server.address().unwrap());
        lives(&client.peer()).await;
        if !is_abrupt {
            client.shutdown(LONGEST).await;
            assert_eq!(client.closed().await, CloseReason::ClosedLocally);
        }
        drop(client);
        assert_eq!(end(&mut events).await, farewell, "is_abrupt: {is_abrupt}");
    }
}

#[tokio::test]
async fn a_client_connects_again_to_a_server_with_a_new_certificate() {
    let (at_server, at_client) = worlds();
    let mut server = server_builder(&at_server).listen(ANY_PORT).await.unwrap();
    let address = server.address().unwrap().to_string();
    let backoff = Backoff::default().initial(Duration::from_millis(1)).max(Duration::from_millis(20));
    let client = client_builder(&at_client).reconnect(backoff).connect(address.as_str()).unwrap();
    for _ in 0..3 {
        lives(&client.peer()).await;
        server.shutdown(Duration::ZERO).await;
        server = server_builder(&at_server).listen(address.as_str()).await.unwrap();
    }
    lives(&client.peer()).await;
}

#[tokio::test]
async fn names_and_ipv6_work_and_no_permission_is_needed_beyond_this_machine() {
    for (listen, host) in [
        ("tls:0.0.0.0:0", "127.0.0.1"),
        ("tls:[::]:0", "::1"),
        ("tls:127.0.0.1:0", "127.0.0.1"),
        ("tls:localhost:0", "localhost"),
    ] {
        let (server, _events) = server_at(listen, |server| server).await;
        let address = Address::Tls { host: host.to_owned(), port: port(server.address().unwrap()) };
        lives(&client_at(address).peer()).await;
    }
}

#[tokio::test]
async fn only_a_secure_channel_has_a_binding_and_both_ends_have_the_same() {
    let options = ListenOptions::new();
    let listener = Listener::bind(&ANY_PORT.parse().unwrap(), &options).await.unwrap();
    let (accepted, connected) = converse(&listener, listener.local_address()).await;
    assert!(accepted.channel_binding().is_some() && connected.channel_binding().is_some());

    let plain = Listener::bind(&"tcp:127.0.0.1:0".parse().unwrap(), &options).await.unwrap();
    let (accepted, connected) = converse(&plain, plain.local_address()).await;
    assert!(accepted.channel_binding().is_none() && connected.channel_binding().is_none());
}

#[tokio::test]
async fn a_dropped_connection_is_seen_whether_or_not_it_was_made() {
    let listener = Listener::bind(&ANY_PORT.parse().unwrap(), &ListenOptions::new()).await.unwrap();
    let address = listener.local_address().clone();
    // Given up amid the handshake by either end.
    let options = ConnectOptions::new();
    let mut connecting = Box::pin(connect(&address, &options));
    let accepted = tokio::select! {
        accepted = listener.accept() => accepted.unwrap(),
        connected = &mut connecting => panic!("{connected:?}"),
    };
    drop(accepted);
    assert!(within(connecting).await.is_err());
    // The listener goes on.
    converse(&listener, &address).await;
}
