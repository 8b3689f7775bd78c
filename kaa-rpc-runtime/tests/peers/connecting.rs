//! Before authentication: wrong secrets, no server, garbage, silence, and many strangers.

use std::collections::BTreeSet;
use std::time::Duration;

use kaa_rpc_runtime::protocol::handshake::message::{Challenge, Hello, Reject, RejectCode};
use kaa_rpc_runtime::protocol::handshake::{ClientHandshake, ClientParameters, ServerHandshake};
use kaa_rpc_runtime::transport::Stream;
use kaa_rpc_runtime::{
    AuthenticationError, Backoff, CallError, CloseReason, ConnectError, Outcome, Secret, ServerBuilder,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};

use kaa_rpc_test_support::scripted::{
    ScriptedPeer, client_parameters, frames, read_message, server_parameters,
};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn wrong_secret_fails_connection_on_both_ends() {
    let (server, state, socket) = server_with(|server| server).await;
    let mut events = server.events();
    let client = client_builder(&ServiceState::new())
        .secret(Secret::new(*b"another secret, long enough").unwrap())
        .connect(socket.address().as_str())
        .unwrap();
    let peer = client.peer();
    let calls = (0..100).map(|index| call_method::<RECORD>(&peer, index.to_string())).collect();
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
    let error = within("the client to fail", client.ready()).await;
    assert!(matches!(error, Err(ConnectError::Authentication(_))), "{error:?}");
    let refused = refusal(&mut events).await;
    assert!(refused.authentication_failed, "{refused:?}");
    assert_eq!(server.refused(), 1);
    assert_eq!(state.records(), [""; 0]);
    let honest = client_of(&socket);
    assert_responds(&honest.peer()).await;
}

#[tokio::test]
async fn calls_without_server_are_not_sent() {
    for address in ["unix:/nonexistent/kaa-rpc-test", "unix:@kaa-rpc-test-unused", "tcp:127.0.0.1:1"] {
        let client = client_builder(&ServiceState::new()).connect(address).unwrap();
        let error = within("the reply to ECHO", call_method::<ECHO>(&client.peer(), "")).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent);
        let result = within("the client to fail", client.ready()).await;
        assert!(matches!(result, Err(ConnectError::Transport(_))), "{address}: {result:?}");
    }
}

#[tokio::test]
async fn garbage_before_handshake_is_refused_at_once() {
    // The timeouts are long, so that only the bytes can end the connection.
    let patient = |server: ServerBuilder| server.hello_timeout(LONG).handshake_timeout(LONG);
    let (server, _state, socket) = server_with(patient).await;
    let mut events = server.events();
    let garbage: [&[u8]; 4] = [b"GET / HTTP/1.1\r\n\r\n", &[0; 64], &[0xff; 4096], b"\x00\x05\x03hello"];
    for bytes in garbage {
        let mut stranger = UnixStream::connect(socket.path()).await.unwrap();
        within("the peer to take bytes", stranger.write_all(bytes)).await.unwrap();
        let refused = refusal(&mut events).await;
        assert!(!refused.authentication_failed, "{refused:?}");
        let mut rest = Vec::new();
        // The connection may end with a reset, because the server did not read everything.
        let _end = within("the end of the connection", stranger.read_to_end(&mut rest)).await;
    }
    let honest = client_of(&socket);
    assert_responds(&honest.peer()).await;
}

#[tokio::test]
async fn foreign_protocol_is_protocol_error() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let (mut stream, _) = within("a client to connect", listener.accept()).await.unwrap();
    within("the peer to take bytes", stream.write_all(b"220 mail.example ESMTP\r\n")).await.unwrap();
    let error = within("the client to connect or fail", client.ready()).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Protocol(text) if text.contains("220 mail")), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn silent_client_is_refused_after_three_seconds() {
    let server = server_builder(&ServiceState::new()).start().unwrap();
    let mut events = server.events();
    let (_near, far) = tokio::io::duplex(1024);
    let start = tokio::time::Instant::now();
    server.accept(Stream::from_io(far, "silent"));
    let reason = refusal(&mut events).await.reason;
    assert!(reason.contains("sent nothing for 3s"), "{reason}");
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn unfinished_handshake_is_refused_after_ten_seconds() {
    let server = server_builder(&ServiceState::new()).start().unwrap();
    let mut events = server.events();
    let (near, far) = tokio::io::duplex(1024);
    // The proof of an honest client never arrives.
    let (to_client, to_relay) = tokio::io::duplex(1024);
    let _client =
        client_builder(&ServiceState::new()).connect_stream(Stream::from_io(to_client, "client")).unwrap();
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
    let reason = refusal(&mut events).await.reason;
    assert!(reason.contains("did not authenticate itself in time"), "{reason}");
    assert_eq!(start.elapsed().as_secs(), 10);
    relay.abort();
}

#[tokio::test]
async fn silent_server_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp:{}", listener.local_addr().unwrap());
    let client = client_builder(&ServiceState::new())
        .connect_timeout(Duration::from_millis(100))
        .connect(address.as_str())
        .unwrap();
    assert_eq!(
        disconnected(within("the reply to ECHO", call_method::<ECHO>(&client.peer(), "")).await),
        Outcome::NotSent
    );
    let result = within("the client to fail", client.ready()).await;
    assert!(matches!(result, Err(ConnectError::Timeout(_))), "{result:?}");
}

#[tokio::test]
async fn dropping_connecting_client_ends_calls() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let mut call = call_method::<ECHO>(&client.peer(), "");
    start(&mut call).await;
    let (mut stream, _) = within("a client to connect", listener.accept()).await.unwrap();
    drop(client);
    let expected = CallError::Disconnected { outcome: Outcome::NotSent, reason: CloseReason::ClosedLocally };
    assert_eq!(within("the call", call).await, Err(expected));
    let mut rest = Vec::new();
    within("the end of the connection", stream.read_to_end(&mut rest)).await.unwrap();
}

/// The server handles 128 strangers at a time, each for as long as a handshake may take, and then the honest
/// client.
#[tokio::test(flavor = "multi_thread")]
async fn idle_strangers_do_not_block_clients() {
    let (server, _state, socket) =
        server_with(|server| server.handshake_timeout(Duration::from_millis(100))).await;
    let mut strangers = Vec::new();
    let path = socket.path();
    let connecting = tokio::task::spawn_blocking(move || {
        for _ in 0..1100 {
            strangers.push(std::os::unix::net::UnixStream::connect(&path).unwrap());
        }
        strangers
    });
    let strangers = within("all strangers to connect", connecting).await.unwrap();
    // On a busy machine the honest client may need more than one attempt.
    let honest = client_builder(&ServiceState::new()).reconnect(Backoff::default());
    let honest = honest.connect(socket.address().as_str()).unwrap();
    assert_responds(&honest.peer()).await;
    assert!(server.refused() >= 1100 - 128, "{}", server.refused());
    assert_eq!(server.connections(), 1);
    drop(strangers);
}

#[tokio::test]
async fn hello_has_new_nonce_and_client_instance() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let start = || {
        let client =
            client_builder(&ServiceState::new()).reconnect(Backoff::default().initial(Duration::ZERO));
        client.connect(socket.address().as_str()).unwrap()
    };
    let hello = async || {
        let (mut stream, _) = within("a client to connect", listener.accept()).await.unwrap();
        Hello::decode(&read_message(&mut stream).await).unwrap()
    };
    let client = start();
    let (first, second) = (hello().await, hello().await);
    drop(client);
    let _other = start();
    let other = hello().await;
    assert_ne!(first.nonce, second.nonce);
    assert_ne!(second.nonce, other.nonce);
    assert_eq!(first.instance, second.instance);
    assert_ne!(second.instance, other.instance);
}

#[tokio::test]
async fn challenge_has_new_nonce_and_server_instance() {
    let mut challenges = Vec::new();
    for _ in 0..2 {
        let (_server, _state, socket) = server_with(|server| server).await;
        for _ in 0..2 {
            let mut stream = UnixStream::connect(socket.path()).await.unwrap();
            let hello = ClientHandshake::new(client_parameters()).output();
            within("the peer to take bytes", stream.write_all(&hello)).await.unwrap();
            challenges.push(Challenge::decode(&read_message(&mut stream).await).unwrap());
        }
    }
    let nonces: BTreeSet<_> = challenges.iter().map(|challenge| challenge.nonce).collect();
    assert_eq!(nonces.len(), 4);
    assert_eq!(challenges[0].instance, challenges[1].instance);
    assert_ne!(challenges[1].instance, challenges[2].instance);
}

#[tokio::test]
async fn frames_after_false_proof_are_not_run() {
    let (server, state, socket) = server_with(|server| server).await;
    let mut events = server.events();
    let mut stream = UnixStream::connect(socket.path()).await.unwrap();
    let secret = Secret::new(*b"another secret, long enough").unwrap();
    let mut handshake = ClientHandshake::new(ClientParameters { secret, ..client_parameters() });
    within("the peer to take bytes", stream.write_all(&handshake.output())).await.unwrap();
    let challenge = read_message(&mut stream).await;
    handshake.handle_input(&mut challenge.as_slice().into()).unwrap();
    let after = [frames::call(1, RECORD, "after"), frames::oneway(2, NOTE, "after")];
    within("the peer to take bytes", stream.write_all(&[&handshake.output()[..], &after.concat()].concat()))
        .await
        .unwrap();
    let refused = refusal(&mut events).await;
    assert!(refused.authentication_failed, "{refused:?}");
    assert_eq!(state.counts().started, 0);
    assert_eq!(state.records(), [""; 0]);
}

#[tokio::test]
async fn client_sends_nothing_before_server_proof() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let peer = client.peer();
    let mut call = call_method::<ECHO>(&peer, "confidential");
    start(&mut call).await;
    within("NOTE to be sent", call_oneway::<NOTE>(&peer, "confidential")).await.unwrap();
    let (mut stream, _) = within("a client to connect", listener.accept()).await.unwrap();
    let mut handshake = ServerHandshake::new(server_parameters());
    let hello = read_message(&mut stream).await;
    handshake.handle_input(&mut hello.as_slice().into()).unwrap();
    within("the peer to take bytes", stream.write_all(&handshake.output())).await.unwrap();
    let proof = read_message(&mut stream).await;
    handshake.handle_input(&mut proof.as_slice().into()).unwrap();
    let mut accept = handshake.output().to_vec();
    *accept.last_mut().unwrap() ^= 1;
    within("the peer to take bytes", stream.write_all(&accept)).await.unwrap();
    let mut rest = Vec::new();
    within("the end of the connection", stream.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, b"");
    assert_eq!(disconnected(within("the call", call).await), Outcome::NotSent);
    let error = within("the client to connect or fail", client.ready()).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Authentication(AuthenticationError::ServerProofInvalid)),
        "{error:?}"
    );
}

/// A REJECT is not authenticated: after a success it may come from a stranger.
#[tokio::test]
async fn rejection_after_success_is_transient() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_builder(&ServiceState::new())
        .reconnect(Backoff::default().initial(Duration::from_millis(1)))
        .connect(socket.address().as_str())
        .unwrap();
    drop(ScriptedPeer::accept(&listener).await);
    let (mut stream, _) = within("a client to connect", listener.accept()).await.unwrap();
    read_message(&mut stream).await;
    let reject = Reject { code: RejectCode::AuthFailed, retry_after: Duration::ZERO, versions: vec![1] };
    within("the peer to take bytes", stream.write_all(&reject.encode())).await.unwrap();
    drop(stream);
    let _server = ScriptedPeer::accept(&listener).await;
    within("the client to connect or fail", client.ready()).await.unwrap();
}
