//! Before authentication: wrong secrets, no server, garbage, silence, and crowds of strangers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kaa_rpc_runtime::protocol::handshake::message::{Challenge, Hello, Reject, RejectCode};
use kaa_rpc_runtime::protocol::handshake::{
    Audience, ClientHandshake, ClientParameters, InstanceId, ServerHandshake, ServerParameters,
};
use kaa_rpc_runtime::transport::Stream;
use kaa_rpc_runtime::{
    AuthenticationError, Backoff, CallError, CloseReason, ConnectError, Events, KeyId, Keys, Limits, Outcome,
    Refused, Secret, ServerEvent,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener, UnixStream};

use crate::support::raw::{self, Raw};
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
    assert!(refused(&mut events).await.reason.contains("sent nothing for 3s"));
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
    let expected = CallError::Disconnected { outcome: Outcome::NotSent, reason: CloseReason::ClosedLocally };
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

/// The whole message that comes next, from the first byte of its length.
async fn message(stream: &mut UnixStream) -> Vec<u8> {
    let mut message = vec![0; 2];
    within(stream.read_exact(&mut message)).await.unwrap();
    message.resize(2 + usize::from(u16::from_be_bytes([message[0], message[1]])), 0);
    within(stream.read_exact(&mut message[2..])).await.unwrap();
    message
}

fn server_parameters() -> ServerParameters {
    ServerParameters {
        nonce: [3; 32],
        decoy: secret(),
        instance: InstanceId::new([4; 16]),
        keys: Arc::new(Keys::from(secret())),
        audience: Audience::default(),
        binding: None,
        limits: Limits::default(),
        schema: [0; 32],
    }
}

#[tokio::test]
async fn every_connection_has_a_nonce_of_its_own_and_every_client_one_instance() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let start = || {
        let client = client_builder(&World::new()).reconnect(Backoff::default().initial(Duration::ZERO));
        client.connect(place.address().as_str()).unwrap()
    };
    let hello = async || {
        let (mut stream, _) = within(listener.accept()).await.unwrap();
        Hello::decode(&message(&mut stream).await).unwrap()
    };
    let client = start();
    let (first, second) = (hello().await, hello().await);
    drop(client);
    let _other = start();
    let other = hello().await;
    assert!(first.nonce != second.nonce && second.nonce != other.nonce);
    assert_eq!(first.instance, second.instance);
    assert_ne!(second.instance, other.instance);
}

#[tokio::test]
async fn every_challenge_has_a_nonce_of_its_own_and_every_server_one_instance() {
    let mut challenges = Vec::new();
    for _ in 0..2 {
        let (_server, _world, place) = server_with(|server| server).await;
        for _ in 0..2 {
            let mut stream = UnixStream::connect(place.path()).await.unwrap();
            let hello = ClientHandshake::new(client_parameters(secret())).output();
            within(stream.write_all(&hello)).await.unwrap();
            challenges.push(Challenge::decode(&message(&mut stream).await).unwrap());
        }
    }
    let nonces: BTreeSet<_> = challenges.iter().map(|challenge| challenge.nonce).collect();
    assert_eq!(nonces.len(), 4);
    assert_eq!(challenges[0].instance, challenges[1].instance);
    assert_ne!(challenges[1].instance, challenges[2].instance);
}

fn client_parameters(secret: Secret) -> ClientParameters {
    ClientParameters {
        nonce: [1; 32],
        instance: InstanceId::new([2; 16]),
        key_id: KeyId::default(),
        secret,
        audience: Audience::default(),
        binding: None,
        limits: Limits::default(),
        schema: [0; 32],
    }
}

#[tokio::test]
async fn what_stands_behind_a_false_proof_is_not_run() {
    let (server, world, place) = server_with(|server| server).await;
    let mut events = server.events();
    let mut stream = UnixStream::connect(place.path()).await.unwrap();
    let stranger = Secret::new(*b"another secret, long enough").unwrap();
    let mut handshake = ClientHandshake::new(client_parameters(stranger));
    within(stream.write_all(&handshake.output())).await.unwrap();
    let challenge = message(&mut stream).await;
    handshake.handle_input(&mut challenge.as_slice().into()).unwrap();
    let behind = [raw::call(1, RECORD, "behind"), raw::frame(raw::ONEWAY, 2, 0, NOTE, &raw::text("behind"))];
    within(stream.write_all(&[&handshake.output()[..], &behind.concat()].concat())).await.unwrap();
    assert!(refused(&mut events).await.authentication_failed);
    assert_eq!(world.counts().started, 0);
    assert!(world.ledger().is_empty());
}

#[tokio::test]
async fn nothing_leaves_behind_the_proof_before_the_server_has_proved_itself() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let peer = client.peer();
    let mut call = ask::<ECHO>(&peer, "confidential");
    assert!(poll_once(&mut call).await.is_pending());
    within(tell::<NOTE>(&peer, "confidential")).await.unwrap();
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    let mut handshake = ServerHandshake::new(server_parameters());
    let hello = message(&mut stream).await;
    handshake.handle_input(&mut hello.as_slice().into()).unwrap();
    within(stream.write_all(&handshake.output())).await.unwrap();
    let proof = message(&mut stream).await;
    handshake.handle_input(&mut proof.as_slice().into()).unwrap();
    let mut accept = handshake.output().to_vec();
    *accept.last_mut().unwrap() ^= 1;
    within(stream.write_all(&accept)).await.unwrap();
    let mut rest = Vec::new();
    within(stream.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, b"");
    assert_eq!(lost(within(call).await), Outcome::NotSent);
    let error = within(client.ready()).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Authentication(AuthenticationError::ServerProofInvalid)),
        "{error:?}"
    );
}

/// A REJECT is not authenticated: anybody may have made up one that comes after a success.
#[tokio::test]
async fn a_refusal_after_a_success_is_a_passing_failure() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new())
        .reconnect(Backoff::default().initial(Duration::from_millis(1)))
        .connect(place.address().as_str())
        .unwrap();
    drop(Raw::accept(&listener).await);
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    message(&mut stream).await;
    let reject = Reject { code: RejectCode::AuthFailed, retry_after: Duration::ZERO, versions: vec![1] };
    within(stream.write_all(&reject.encode())).await.unwrap();
    drop(stream);
    let _server = Raw::accept(&listener).await;
    within(client.ready()).await.unwrap();
}
