//! Before authentication: wrong secrets, no server, garbage, silence, and crowds of strangers.

use std::time::{Duration, Instant};

use kaa_rpc_runtime::transport::Stream;
use kaa_rpc_runtime::{
    AuthenticationError, CallError, CloseReason, ConnectError, Events, Outcome, Refused, Secret, ServerEvent,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::support::*;

async fn refused(events: &mut Events<ServerEvent>) -> Refused {
    loop {
        if let ServerEvent::Refused(refused) = within(events.next()).await.unwrap() {
            return refused;
        }
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_on_both_ends_and_to_every_call() {
    let (server, world, place) = server_with(|server| server).await;
    let mut events = server.events();
    let client = client_builder(&World::new())
        .secret(Secret::new(*b"another secret, long enough").unwrap())
        .connect(place.address().as_str())
        .unwrap();
    let peer = client.peer();
    let calls = (0..100).map(|index| ask::<RECORD>(&peer, index.to_string())).collect();
    for result in all(calls).await {
        let Err(CallError::Disconnected { outcome: Outcome::NotSent, reason }) = result else {
            panic!("{result:?}");
        };
        assert!(
            matches!(
                reason,
                CloseReason::NotConnected(ConnectError::Authentication(AuthenticationError::RejectedByPeer))
            ),
            "{reason:?}"
        );
    }
    assert!(matches!(within(client.ready()).await, Err(ConnectError::Authentication(_))));
    assert!(refused(&mut events).await.authentication_failed);
    assert_eq!(server.refused(), 1);
    assert!(world.ledger().is_empty());
    let honest = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    lives(&honest.peer()).await;
}

#[tokio::test]
async fn where_no_server_is_every_call_says_so() {
    for address in ["unix:/nonexistent/kaa-rpc-test", "unix:@kaa-rpc-test-nobody", "tcp:127.0.0.1:1"] {
        let client = client_builder(&World::new()).connect(address).unwrap();
        let error = within(ask::<ECHO>(&client.peer(), "")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent);
        assert!(matches!(within(client.ready()).await, Err(ConnectError::Transport(_))), "{address}");
    }
}

#[tokio::test]
async fn garbage_before_authentication_is_refused_at_once() {
    let (server, _world, place) = server_with(|server| server).await;
    let mut events = server.events();
    let garbage: [&[u8]; 4] = [b"GET / HTTP/1.1\r\n\r\n", &[0; 64], &[0xff; 4096], b"\x00\x05\x03hello"];
    for bytes in garbage {
        let start = Instant::now();
        let mut stranger = UnixStream::connect(place.path()).await.unwrap();
        within(stranger.write_all(bytes)).await.unwrap();
        let refused = refused(&mut events).await;
        assert!(!refused.authentication_failed);
        assert!(start.elapsed() < Duration::from_secs(2), "{refused:?}");
        let mut rest = Vec::new();
        // The end comes as such or as a reset, since not all was read.
        let _end = within(stranger.read_to_end(&mut rest)).await;
    }
    let honest = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    lives(&honest.peer()).await;
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_a_protocol_error() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    within(stream.write_all(b"220 mail.example ESMTP\r\n")).await.unwrap();
    let error = within(client.ready()).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Protocol(text) if text.contains("220 mail")), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_refused_after_three_seconds() {
    let server = server_builder(&World::new()).start().unwrap();
    let mut events = server.events();
    let (_near, far) = tokio::io::duplex(1024);
    let start = tokio::time::Instant::now();
    server.accept(Stream::from_io(far, "silent"));
    assert!(refused(&mut events).await.reason.contains("said nothing for 3s"));
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn who_stops_amid_the_handshake_is_refused_after_ten_seconds() {
    let server = server_builder(&World::new()).start().unwrap();
    let mut events = server.events();
    let (near, far) = tokio::io::duplex(1024);
    // An honest client whose proof never arrives.
    let (to_client, to_relay) = tokio::io::duplex(1024);
    let _client = client_builder(&World::new()).connect_stream(Stream::from_io(to_client, "client")).unwrap();
    let start = tokio::time::Instant::now();
    server.accept(Stream::from_io(far, "half"));
    let relay = tokio::spawn(async move {
        let (mut near, mut to_relay) = (near, to_relay);
        let mut space = [0; 1024];
        let count = to_relay.read(&mut space).await.unwrap();
        near.write_all(&space[..count]).await.unwrap();
        std::future::pending::<()>().await;
        drop((near, to_relay));
    });
    assert!(refused(&mut events).await.reason.contains("did not authenticate itself in time"));
    assert_eq!(start.elapsed().as_secs(), 10);
    relay.abort();
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp:{}", listener.local_addr().unwrap());
    let client = client_builder(&World::new())
        .connect_timeout(Duration::from_millis(100))
        .connect(address.as_str())
        .unwrap();
    assert_eq!(lost(within(ask::<ECHO>(&client.peer(), "")).await), Outcome::NotSent);
    assert!(matches!(within(client.ready()).await, Err(ConnectError::Timeout(_))));
}

#[tokio::test]
async fn a_client_dropped_while_it_connects_ends_its_calls() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut call = ask::<ECHO>(&client.peer(), "");
    assert!(poll_once(&mut call).await.is_pending());
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    drop(client);
    let expected = CallError::Disconnected { outcome: Outcome::NotSent, reason: CloseReason::ClosedHere };
    assert_eq!(within(call).await, Err(expected));
    let mut rest = Vec::new();
    within(stream.read_to_end(&mut rest)).await.unwrap();
}

/// More idle strangers than the original's server survived; this one takes 128 of them at a time, each for as long as
/// a handshake may take, and then whoever is honest.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_idle_strangers_ends_nothing() {
    let (server, _world, place) =
        server_with(|server| server.handshake_timeout(Duration::from_millis(100))).await;
    let mut strangers = Vec::new();
    let path = place.path();
    let crowd = tokio::task::spawn_blocking(move || {
        for _ in 0..1100 {
            strangers.push(std::os::unix::net::UnixStream::connect(&path).unwrap());
        }
        strangers
    });
    let strangers = within(crowd).await.unwrap();
    let honest = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    lives(&honest.peer()).await;
    assert!(server.refused() >= 1100 - 128, "{}", server.refused());
    assert_eq!(server.connections(), 1);
    drop(strangers);
}
