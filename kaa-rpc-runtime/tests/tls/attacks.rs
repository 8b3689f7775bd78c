//! An attacker between client and server, with its own channels to both.
//!
//! The attacker uses the runtime's streams. It can do all that a stranger can do, but it does not know the
//! secret.

use bytes::BytesMut;
use kaa_rpc_runtime::protocol::handshake::message::{BindingKind, Challenge, Hello};
use kaa_rpc_runtime::transport::{Address, ConnectOptions, ListenOptions, Listener, Stream, connect};
use kaa_rpc_runtime::{AuthenticationError, Client};
use tokio::task::JoinHandle;

use crate::fixture::*;
use kaa_rpc_test_support::byte_streams::{read, write_all};
use kaa_rpc_test_support::waiting::*;

/// How an attacker changes a message that it forwards.
type Change = fn(BytesMut) -> BytesMut;

fn untouched(message: BytesMut) -> BytesMut {
    message
}

/// Listens at one address and forwards to another, message by message.
struct Attacker {
    address: Address,
    task: JoinHandle<()>,
}

impl Attacker {
    async fn between(listens_at: &str, server: &Address, to_server: Change, to_client: Change) -> Self {
        let listener = Listener::bind(&listens_at.parse().unwrap(), &ListenOptions::new()).await.unwrap();
        let address = listener.local_address().clone();
        let server = server.clone();
        let task = tokio::spawn(async move {
            let client = listener.accept().await.unwrap().secure().await.unwrap();
            let server = connect(&server, &ConnectOptions::new()).await.unwrap();
            tokio::join!(forward(&client, &server, to_server), forward(&server, &client, to_client));
        });
        Self { address, task }
    }

    fn client(&self) -> Client {
        client_at(&self.address)
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Forwards until either end closes the connection. Only the first message is changed.
async fn forward(from: &Stream, to: &Stream, change: Change) {
    let mut change = Some(change);
    loop {
        let mut bytes = BytesMut::new();
        if !read(from, &mut bytes).await.is_ok_and(|count| count > 0) {
            let _ = to.shutdown_write();
            return;
        }
        let whole =
            |bytes: &BytesMut| bytes.len() >= 2 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        while change.is_some() && !(bytes.len() > 2 && whole(&bytes)) {
            read(from, &mut bytes).await.unwrap();
        }
        let bytes = match change.take() {
            Some(change) => change(bytes),
            None => bytes,
        };
        if write_all(to, &bytes).await.is_err() {
            return;
        }
    }
}

fn hello_with(binding: BindingKind, message: &[u8]) -> BytesMut {
    let mut hello = Hello::decode(message).unwrap();
    assert_ne!(hello.binding, binding, "the attacker would change nothing");
    hello.binding = binding;
    BytesMut::from(&hello.encode()[..])
}

fn challenge_with(binding: BindingKind, message: &[u8]) -> BytesMut {
    let mut challenge = Challenge::decode(message).unwrap();
    assert_ne!(challenge.binding, binding, "the attacker would change nothing");
    challenge.binding = binding;
    BytesMut::from(&challenge.encode()[..])
}

#[tokio::test]
async fn relay_between_two_channels_is_rejected() {
    let (server, mut events) = server().await;
    let attacker = Attacker::between(ANY_PORT, server.address().unwrap(), untouched, untouched).await;
    let client = attacker.client();
    assert_eq!(authentication_error_of(&client).await, AuthenticationError::RejectedByPeer);
    let refused = refusal(&mut events).await;
    assert!(refused.authentication_failed, "{refused:?}");
    assert!(refused.reason.contains("its proof of the secret is wrong"), "{}", refused.reason);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn relay_over_plain_tcp_is_not_detected() {
    // Without the binding the same attacker succeeds, and could read and change everything.
    let (server, _events) = server_at("tcp:127.0.0.1:0", |server| server).await;
    let attacker =
        Attacker::between("tcp:127.0.0.1:0", server.address().unwrap(), untouched, untouched).await;
    within("the client to connect or fail", attacker.client().ready()).await.unwrap();
}

#[tokio::test]
async fn client_with_binding_requires_binding() {
    let (server, mut events) = server_at("tcp:127.0.0.1:0", |server| server).await;
    let server = server.address().unwrap();
    // The server claims no binding: the client sends no proof.
    let attacker = Attacker::between(ANY_PORT, server, untouched, untouched).await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::BindingRequired);
    assert!(!refusal(&mut events).await.authentication_failed, "the client sent a proof");

    // The attacker claims a binding: the server refuses the client's.
    let attacker = Attacker::between(ANY_PORT, server, untouched, |challenge| {
        challenge_with(BindingKind::TlsExporter, &challenge)
    })
    .await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::RejectedByPeer);
    let reason = refusal(&mut events).await.reason;
    assert!(reason.contains("the channel bindings differ: this side has none"), "{reason}");

    // The attacker claims to each end what that end expects: the proof does not match.
    let attacker = Attacker::between(
        ANY_PORT,
        server,
        |hello| hello_with(BindingKind::None, &hello),
        |challenge| challenge_with(BindingKind::TlsExporter, &challenge),
    )
    .await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::RejectedByPeer);
    let reason = refusal(&mut events).await.reason;
    assert!(reason.contains("its proof of the secret is wrong"), "{reason}");
}

#[tokio::test]
async fn server_with_binding_requires_binding() {
    let (server, mut events) = server().await;
    let server = server.address().unwrap();
    let plain = "tcp:127.0.0.1:0";
    let attacker = Attacker::between(plain, server, untouched, untouched).await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::BindingRequired);
    assert!(!refusal(&mut events).await.authentication_failed, "the client sent a proof");

    let attacker = Attacker::between(plain, server, untouched, |challenge| {
        challenge_with(BindingKind::None, &challenge)
    })
    .await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::RejectedByPeer);
    let reason = refusal(&mut events).await.reason;
    assert!(reason.contains("the channel bindings differ: this side has tls-exporter"), "{reason}");

    let attacker = Attacker::between(
        plain,
        server,
        |hello| hello_with(BindingKind::TlsExporter, &hello),
        |challenge| challenge_with(BindingKind::None, &challenge),
    )
    .await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::RejectedByPeer);
    let reason = refusal(&mut events).await.reason;
    assert!(reason.contains("its proof of the secret is wrong"), "{reason}");
}

#[tokio::test]
async fn wrong_secret_is_rejected_over_tls() {
    let (server, mut events) = server().await;
    let wrong = kaa_rpc_runtime::Secret::generate().unwrap();
    let client = client_with(server.address().unwrap(), |client| client.secret(wrong));
    assert_eq!(authentication_error_of(&client).await, AuthenticationError::RejectedByPeer);
    let refused = refusal(&mut events).await;
    assert!(refused.authentication_failed, "{refused:?}");
}
