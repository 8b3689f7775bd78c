//! What went wrong in the library whose ideas these are, each shown not to happen here.
//!
//! Elsewhere: idle strangers, no handshake time limit (`connecting`); no integrity after authentication needs a secure
//! channel beneath; the proof's constant-time comparison is the handshake's own matter.

use std::time::Duration;

use kaa_rpc_runtime::protocol::handshake::InstanceId;
use kaa_rpc_runtime::protocol::handshake::message::{Accept, BindingKind, Challenge, Hello, Proof};
use kaa_rpc_runtime::{
    AuthenticationError, CallError, Client, ConnectError, Limits, Outcome, Secret, Server, SetupError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use crate::support::raw::{self, Raw};
use crate::support::*;

#[tokio::test]
async fn a_result_of_several_megabytes_arrives() {
    let pair = Pair::new().await;
    let text = within(ask::<BIG>(&pair.peer, (3 << 20).to_string())).await.unwrap();
    assert_eq!(text.len(), 3 << 20);
}

#[tokio::test]
async fn a_result_that_cannot_be_written_fails_alone() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    let chunk = [
        raw::call(1, UNBOUND, "longer than four"),
        raw::call(2, EXPLODE, ""),
        raw::frame(raw::CALL, 3, 7, ECHO, b"\xff\xff\xff"),
        raw::call(4, NOBODYS, ""),
        raw::call(5, ECHO, "neighbour"),
    ];
    peer.send(chunk.concat()).await;
    for (id, status) in [(1, raw::FAULTY), (2, raw::FAULTY), (3, raw::BAD_REQUEST), (4, 3), (5, raw::OK)] {
        let reply = peer.next(raw::REPLY).await;
        assert_eq!((reply.id, reply.detail), (id, status), "{reply:?}");
    }
}

#[tokio::test]
async fn calls_after_a_disconnect_end_at_once() {
    let pair = Pair::new().await;
    drop(pair.server);
    within(pair.client.closed()).await;
    assert_eq!(lost(within(ask::<ECHO>(&pair.peer, "")).await), Outcome::NotSent);
}

#[tokio::test]
async fn calls_queued_before_a_refused_connection_end() {
    let place = Place::new();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    assert_eq!(lost(within(ask::<ECHO>(&client.peer(), "")).await), Outcome::NotSent);
    assert!(matches!(within(client.ready()).await, Err(ConnectError::Transport(_))));
}

#[tokio::test]
async fn a_drop_before_authentication_ends_the_client() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let peer = client.peer();
    let call = tokio::spawn(async move { ask::<ECHO>(&peer, "").await });
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    let mut hello = [0; 64];
    within(stream.read(&mut hello)).await.unwrap();
    drop(stream);
    assert!(matches!(within(client.ready()).await, Err(ConnectError::Io(_))));
    assert_eq!(lost(within(call).await.unwrap()), Outcome::NotSent);
}

/// Reads a whole handshake message.
async fn message(stream: &mut UnixStream) -> Vec<u8> {
    let length = within(stream.read_u16()).await.unwrap();
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.resize(2 + usize::from(length), 0);
    within(stream.read_exact(&mut bytes[2..])).await.unwrap();
    bytes
}

/// A rogue server without the secret plays two connections of one client against each other.
#[tokio::test]
async fn a_proof_reflected_is_no_proof() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let clients: Vec<Client> =
        (0..2).map(|_| client_builder(&World::new()).connect(place.address().as_str()).unwrap()).collect();
    let (mut first, _) = within(listener.accept()).await.unwrap();
    let (mut second, _) = within(listener.accept()).await.unwrap();
    let hellos = [
        Hello::decode(&message(&mut first).await).unwrap(),
        Hello::decode(&message(&mut second).await).unwrap(),
    ];
    let challenge = |nonce| Challenge {
        version: 1,
        versions: vec![1],
        nonce,
        instance: InstanceId::new([9; 16]),
        binding: BindingKind::None,
        features: 0,
        limits: Limits::default(),
        schema: [0; 32],
    };
    within(first.write_all(&challenge(hellos[1].nonce).encode())).await.unwrap();
    within(second.write_all(&challenge(hellos[0].nonce).encode())).await.unwrap();
    let proofs = [
        Proof::decode(&message(&mut first).await).unwrap(),
        Proof::decode(&message(&mut second).await).unwrap(),
    ];
    within(first.write_all(&Accept { mac: proofs[1].mac }.encode())).await.unwrap();
    within(second.write_all(&Accept { mac: proofs[1].mac }.encode())).await.unwrap();
    for client in clients {
        let error = within(client.ready()).await.unwrap_err();
        assert!(
            matches!(error, ConnectError::Authentication(AuthenticationError::ServerProofInvalid)),
            "{error:?}"
        );
        assert_eq!(lost(within(ask::<ECHO>(&client.peer(), "secret")).await), Outcome::NotSent);
    }
    let mut rest = Vec::new();
    within(first.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.is_empty(), "nothing was said to the rogue");
}

#[tokio::test]
async fn there_is_no_empty_secret_and_none_by_default() {
    let error = Server::builder().listen("unix:@kaa-rpc-test-without-a-secret").await.unwrap_err();
    assert!(matches!(error, SetupError::MissingSecret));
    let error = Client::builder().connect("unix:@kaa-rpc-test-without-a-secret").unwrap_err();
    assert!(matches!(error, SetupError::MissingSecret));
    assert!(Secret::new(*b"").is_err());
    assert!(Secret::new(*b"fifteen bytes..").is_err());
}

#[tokio::test]
async fn a_payload_is_data_and_nothing_else() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    // What a pickled call of a function looks like.
    peer.send(raw::frame(raw::CALL, 1, 7, ECHO, b"cos\nsystem\n(S'touch /tmp/x'\ntR.")).await;
    assert_eq!(peer.next(raw::REPLY).await.detail, raw::BAD_REQUEST);
    peer.send(raw::call(2, ECHO, "well")).await;
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("well"));
}

#[tokio::test]
async fn a_length_of_all_ones_is_refused_on_sight() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send([0xff; 4]).await;
    assert!(peer.last_word().await.contains("4294967295 bytes"));
}

#[tokio::test]
async fn no_socket_file_is_left_behind() {
    let pair = Pair::new().await;
    assert!(pair.place.path().exists());
    within(pair.server.shutdown(Duration::from_secs(5))).await;
    assert!(!pair.place.path().exists());
}

/// The largest id is an id like any other; there is none behind it.
#[tokio::test]
async fn sequence_numbers_do_not_overflow() {
    let (server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call(u64::MAX, ECHO, "last")).await;
    let reply = peer.next(raw::REPLY).await;
    assert_eq!((reply.id, reply.payload), (u64::MAX, raw::text("last")));
    peer.send(raw::call(0, ECHO, "and over")).await;
    assert!(peer.last_word().await.contains("reused call id 0"));
    assert_eq!(server.refused(), 0);
}

/// Four times the calls take about four times the time; with a quadratic cost they would take sixteen times.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_costs_no_more_than_its_calls() {
    let pair = Pair::new().await;
    let mut seconds = Vec::new();
    for calls in [4_000, 4_000, 16_000] {
        let start = std::time::Instant::now();
        let mut burst = tokio::task::JoinSet::new();
        for _ in 0..calls {
            let call = ask::<ECHO>(&pair.peer, "burst");
            burst.spawn(async move { assert!(call.await.is_ok()) });
        }
        within(burst.join_all()).await;
        seconds.push(start.elapsed().as_secs_f64());
    }
    assert!(seconds[2] < seconds[1].max(0.02) * 12.0, "{seconds:?}");
}

/// A second answer and one to a call given up take nothing else of their chunk with them.
#[tokio::test]
async fn an_unsolicited_reply_takes_nothing_with_it() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut peer = Raw::accept(&listener).await;
    let (to, first) = (client.peer(), client.peer());
    let first = tokio::spawn(async move { ask::<ECHO>(&first, "first").await });
    let made = peer.next(raw::CALL).await;
    let answer = raw::frame(raw::REPLY, made.id, made.token, raw::OK, &raw::text("first"));
    let mut given_up = ask::<ECHO>(&to, "given up");
    assert!(poll_once(&mut given_up).await.is_pending());
    let late = peer.next(raw::CALL).await;
    drop(given_up);
    peer.next(raw::CANCEL).await;
    let second = tokio::spawn(async move { ask::<ECHO>(&to, "second").await });
    let wanted = peer.next(raw::CALL).await;
    let chunk = [
        answer.clone(),
        answer,
        raw::frame(raw::REPLY, late.id, late.token, raw::OK, b"garbage"),
        raw::frame(raw::REPLY, wanted.id, wanted.token, raw::OK, &raw::text("second")),
    ];
    peer.send(chunk.concat()).await;
    assert_eq!(within(first).await.unwrap(), Ok("first".to_owned()));
    assert_eq!(within(second).await.unwrap(), Ok("second".to_owned()));
}

/// A reply that this side cannot decode is an error of its call.
#[tokio::test]
async fn an_unreadable_reply_is_an_error_of_its_call() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut peer = Raw::accept(&listener).await;
    let to = client.peer();
    let call = tokio::spawn(async move { ask::<ECHO>(&to, "").await });
    let made = peer.next(raw::CALL).await;
    peer.send(raw::frame(raw::REPLY, made.id, made.token, raw::OK, b"\xff")).await;
    assert!(matches!(within(call).await.unwrap(), Err(CallError::BadReply(_))));
}

/// The same secret, another service: the proof is worth nothing there.
#[tokio::test]
async fn a_proof_for_one_service_is_none_for_another() {
    use kaa_rpc_runtime::Audience;

    let (_server, _world, place) =
        server_with(|server| server.audience(Audience::new("recorder").unwrap())).await;
    let client = client_builder(&World::new())
        .audience(Audience::new("guide").unwrap())
        .connect(place.address().as_str())
        .unwrap();
    let error = within(client.ready()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Authentication(AuthenticationError::RejectedByPeer)), "{error:?}");
}
