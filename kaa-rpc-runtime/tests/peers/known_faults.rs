//! Faults of the library that inspired this one. Each test shows that one of them does not happen here.
//!
//! Tested elsewhere: idle strangers and the time limit of the handshake (`connecting`). Not tested: integrity
//! after authentication, which needs a secure channel, and the comparison of proofs in constant time.

use kaa_rpc_test_support::assert_matches;
use std::time::Duration;

use kaa_rpc_runtime::protocol::handshake::InstanceId;
use kaa_rpc_runtime::protocol::handshake::message::{Accept, BindingKind, Challenge, Hello, Proof};
use kaa_rpc_runtime::{
    AuthenticationError, CallError, Client, ConnectError, Limits, Outcome, Secret, Server, SetupError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use kaa_rpc_test_support::scripted::{ScriptedPeer, frames, read_message};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

#[tokio::test]
async fn large_result_arrives() {
    let pair = Pair::new().await;
    let text =
        within("the reply to LARGE", call_method::<LARGE>(&pair.peer, (3 << 20).to_string())).await.unwrap();
    assert_eq!(text.len(), 3 << 20);
}

#[tokio::test]
async fn unencodable_result_fails_alone() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    let chunk = [
        frames::call(1, OVER_BOUND, "longer than four"),
        frames::call(2, PANIC_WHILE_ENCODING, ""),
        frames::frame(frames::CALL, 3, 7, ECHO, b"\xff\xff\xff"),
        frames::call(4, UNKNOWN, ""),
        frames::call(5, ECHO, "neighbour"),
    ];
    peer.send(chunk.concat()).await;
    for (id, status) in [
        (1, frames::FAULT),
        (2, frames::FAULT),
        (3, frames::BAD_REQUEST),
        (4, frames::UNKNOWN_METHOD),
        (5, frames::OK),
    ] {
        let reply = peer.next(frames::REPLY).await;
        assert_eq!((reply.id, reply.detail), (id, status), "{reply:?}");
    }
}

#[tokio::test]
async fn calls_after_disconnect_end_at_once() {
    let pair = Pair::new().await;
    drop(pair.server);
    within("the connection to close", pair.client.closed()).await;
    assert_eq!(
        disconnected(within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "")).await),
        Outcome::NotSent
    );
}

#[tokio::test]
async fn queued_calls_end_when_connecting_fails() {
    let socket = SocketDirectory::new();
    let client = client_of(&socket);
    assert_eq!(
        disconnected(within("the reply to ECHO", call_method::<ECHO>(&client.peer(), "")).await),
        Outcome::NotSent
    );
    let result = within("the client to fail", client.ready()).await;
    assert!(matches!(result, Err(ConnectError::Transport(_))), "{result:?}");
}

#[tokio::test]
async fn loss_during_handshake_ends_client() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let peer = client.peer();
    let call = tokio::spawn(async move { call_method::<ECHO>(&peer, "").await });
    let (mut stream, _) = within("a client to connect", listener.accept()).await.unwrap();
    let mut hello = [0; 64];
    within("bytes of the peer", stream.read(&mut hello)).await.unwrap();
    drop(stream);
    let result = within("the client to fail", client.ready()).await;
    assert!(matches!(result, Err(ConnectError::Io(_))), "{result:?}");
    assert_eq!(disconnected(within("the call", call).await.unwrap()), Outcome::NotSent);
}

/// A rogue server without the secret uses the proof of one client's connection for another connection.
#[tokio::test]
async fn reflected_proof_is_rejected() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let clients: Vec<Client> = (0..2).map(|_| client_of(&socket)).collect();
    let (mut first, _) = within("a client to connect", listener.accept()).await.unwrap();
    let (mut second, _) = within("a client to connect", listener.accept()).await.unwrap();
    let hellos = [
        Hello::decode(&read_message(&mut first).await).unwrap(),
        Hello::decode(&read_message(&mut second).await).unwrap(),
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
    within("the peer to take bytes", first.write_all(&challenge(hellos[1].nonce).encode())).await.unwrap();
    within("the peer to take bytes", second.write_all(&challenge(hellos[0].nonce).encode())).await.unwrap();
    let proofs = [
        Proof::decode(&read_message(&mut first).await).unwrap(),
        Proof::decode(&read_message(&mut second).await).unwrap(),
    ];
    within("the peer to take bytes", first.write_all(&Accept { mac: proofs[1].mac }.encode())).await.unwrap();
    within("the peer to take bytes", second.write_all(&Accept { mac: proofs[1].mac }.encode()))
        .await
        .unwrap();
    for client in clients {
        let error = within("the client to connect or fail", client.ready()).await.unwrap_err();
        assert!(
            matches!(error, ConnectError::Authentication(AuthenticationError::ServerProofInvalid)),
            "{error:?}"
        );
        assert_eq!(
            disconnected(within("the reply to ECHO", call_method::<ECHO>(&client.peer(), "secret")).await),
            Outcome::NotSent
        );
    }
    let mut rest = Vec::new();
    within("the end of the connection", first.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, b"", "the client sent something to the rogue server");
}

#[tokio::test]
async fn secret_is_required_and_never_empty() {
    let error = Server::builder().listen("unix:@kaa-rpc-test-without-a-secret").await.unwrap_err();
    assert!(matches!(error, SetupError::MissingSecret), "{error:?}");
    let error = Client::builder().connect("unix:@kaa-rpc-test-without-a-secret").unwrap_err();
    assert!(matches!(error, SetupError::MissingSecret), "{error:?}");
    assert_matches!(Secret::new(*b""), Err(_));
    assert_matches!(Secret::new(*b"fifteen bytes.."), Err(_));
}

#[tokio::test]
async fn payload_is_never_executed() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    // A function call in Python's pickle format.
    peer.send(frames::frame(frames::CALL, 1, 7, ECHO, b"cos\nsystem\n(S'touch /tmp/x'\ntR.")).await;
    assert_eq!(peer.next(frames::REPLY).await.detail, frames::BAD_REQUEST);
    peer.send(frames::call(2, ECHO, "fine")).await;
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("fine"));
}

#[tokio::test]
async fn maximal_length_is_refused_at_once() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send([0xff; 4]).await;
    let message = peer.closing_message().await;
    assert!(message.contains("4294967295 bytes"), "{message}");
}

#[tokio::test]
async fn shutdown_removes_socket_file() {
    let pair = Pair::new().await;
    assert!(pair.socket.path().exists(), "there is no socket file");
    within("the server to shut down", pair.server.shutdown(Duration::from_secs(5))).await;
    assert!(!pair.socket.path().exists(), "the socket file was not removed");
}

/// The largest id is valid, and no id follows it.
#[tokio::test]
async fn call_ids_do_not_overflow() {
    let (server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::call(u64::MAX, ECHO, "last")).await;
    let reply = peer.next(frames::REPLY).await;
    assert_eq!((reply.id, reply.payload), (u64::MAX, frames::text("last")));
    peer.send(frames::call(0, ECHO, "overflow")).await;
    let message = peer.closing_message().await;
    assert!(message.contains("reused call id 0"), "{message}");
    assert_eq!(server.refused(), 0);
}

/// The seconds that this thread has used of the processor.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    // User and system time are the 12th and 13th field after the name, in hundredths of a second.
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    fields.skip(11).take(2).map(|field| field.parse::<f64>().unwrap() / 100.0).sum()
}

/// Four times the calls take about four times the processor time. With a quadratic cost they would take
/// sixteen times. Everything runs on this thread, whose processor time does not depend on other work of the
/// machine.
#[tokio::test]
async fn burst_of_calls_takes_linear_time() {
    let pair = Pair::new().await;
    let mut seconds = Vec::new();
    for calls in [4_000, 4_000, 16_000] {
        let start = processor_time();
        let mut burst = tokio::task::JoinSet::new();
        for _ in 0..calls {
            let call = call_method::<ECHO>(&pair.peer, "burst");
            burst.spawn(async move { assert_matches!(call.await, Ok(_)) });
        }
        within("all callers", burst.join_all()).await;
        seconds.push(processor_time() - start);
    }
    assert!(seconds[2] < seconds[1].max(0.02) * 12.0, "{seconds:?}");
}

/// A second reply and a reply to an abandoned call do not affect other replies of the same chunk.
#[tokio::test]
async fn unsolicited_reply_leaves_other_replies_intact() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let mut server = ScriptedPeer::accept(&listener).await;
    let peer = client.peer();
    let first = tokio::spawn(call_method::<ECHO>(&peer, "first"));
    let made = server.next(frames::CALL).await;
    let answer = frames::frame(frames::REPLY, made.id, made.token, frames::OK, &frames::text("first"));
    let mut abandoned = call_method::<ECHO>(&peer, "abandoned");
    start(&mut abandoned).await;
    let late = server.next(frames::CALL).await;
    drop(abandoned);
    server.next(frames::CANCEL).await;
    let second = tokio::spawn(async move { call_method::<ECHO>(&peer, "second").await });
    let wanted = server.next(frames::CALL).await;
    let chunk = [
        answer.clone(),
        answer,
        frames::frame(frames::REPLY, late.id, late.token, frames::OK, b"garbage"),
        frames::frame(frames::REPLY, wanted.id, wanted.token, frames::OK, &frames::text("second")),
    ];
    server.send(chunk.concat()).await;
    assert_eq!(within("the call `first`", first).await.unwrap(), Ok("first".to_owned()));
    assert_eq!(within("the call `second`", second).await.unwrap(), Ok("second".to_owned()));
}

/// A reply that this side cannot decode fails its call.
#[tokio::test]
async fn undecodable_reply_fails_its_call() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let mut peer = ScriptedPeer::accept(&listener).await;
    let to = client.peer();
    let call = tokio::spawn(async move { call_method::<ECHO>(&to, "").await });
    let made = peer.next(frames::CALL).await;
    peer.send(frames::frame(frames::REPLY, made.id, made.token, frames::OK, b"\xff")).await;
    let result = within("the call", call).await.unwrap();
    assert!(matches!(result, Err(CallError::BadReply(_))), "{result:?}");
}

/// With the same secret, a proof for one audience is rejected by another.
#[tokio::test]
async fn proof_for_other_audience_is_rejected() {
    use kaa_rpc_runtime::Audience;

    let (_server, _state, socket) =
        server_with(|server| server.audience(Audience::new("recorder").unwrap())).await;
    let client = client_builder(&ServiceState::new())
        .audience(Audience::new("guide").unwrap())
        .connect(socket.address().as_str())
        .unwrap();
    let error = within("the client to connect or fail", client.ready()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Authentication(AuthenticationError::RejectedByPeer)), "{error:?}");
}
