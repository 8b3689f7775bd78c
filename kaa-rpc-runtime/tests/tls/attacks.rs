//! Whoever stands between client and server, with channels of its own to both.
//!
//! The attacker is made of the runtime's own streams: it has all that a stranger can have, but not the secret.

use bytes::BytesMut;
use kaa_rpc_runtime::protocol::handshake::message::{BindingKind, Challenge, Hello};
use kaa_rpc_runtime::transport::{Address, ConnectOptions, ListenOptions, Listener, Stream, connect};
use kaa_rpc_runtime::{AuthenticationError, Client};
use tokio::task::JoinHandle;

use crate::support::*;
use crate::talk::{read, write_all};

/// What an attacker does to a message that it passes on.
type Change = fn(BytesMut) -> BytesMut;

fn untouched(message: BytesMut) -> BytesMut {
    message
}

/// Somebody who listens at one address and passes on to another, message by message.
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
            tokio::join!(pass_on(&client, &server, to_server), pass_on(&server, &client, to_client));
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

/// Until either end has had enough. Only the first message is changed.
async fn pass_on(from: &Stream, to: &Stream, change: Change) {
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
    assert_ne!(hello.binding, binding, "there is something to change");
    hello.binding = binding;
    BytesMut::from(&hello.encode()[..])
}

fn challenge_with(binding: BindingKind, message: &[u8]) -> BytesMut {
    let mut challenge = Challenge::decode(message).unwrap();
    assert_ne!(challenge.binding, binding, "there is something to change");
    challenge.binding = binding;
    BytesMut::from(&challenge.encode()[..])
}

#[tokio::test]
async fn two_channels_joined_by_a_stranger_authenticate_nobody() {
    let (server, mut events) = server().await;
    let attacker = Attacker::between(ANY_PORT, server.address().unwrap(), untouched, untouched).await;
    let client = attacker.client();
    assert_eq!(authentication_error_of(&client).await, AuthenticationError::RejectedByPeer);
    let refused = refused(&mut events).await;
    assert!(refused.authentication_failed);
    assert!(refused.reason.contains("its proof of the secret is wrong"), "{}", refused.reason);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_stranger_who_passes_everything_on_over_plain_tcp_is_as_good_as_none() {
    // What the binding is for: without it the same stranger gets through, and could read and change everything.
    let (server, _events) = server_at("tcp:127.0.0.1:0", |server| server).await;
    let attacker =
        Attacker::between("tcp:127.0.0.1:0", server.address().unwrap(), untouched, untouched).await;
    crate::streams::within(attacker.client().ready()).await.unwrap();
}

#[tokio::test]
async fn a_client_with_a_channel_takes_no_server_without() {
    let (server, mut events) = server_at("tcp:127.0.0.1:0", |server| server).await;
    let server = server.address().unwrap();
    // The server says that it has none: the client gives no proof away.
    let attacker = Attacker::between(ANY_PORT, server, untouched, untouched).await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::BindingRequired);
    assert!(!refused(&mut events).await.authentication_failed, "no proof came");

    // The stranger says that it has one: the server refuses what the client has.
    let attacker = Attacker::between(ANY_PORT, server, untouched, |challenge| {
        challenge_with(BindingKind::TlsExporter, &challenge)
    })
    .await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::RejectedByPeer);
    let reason = refused(&mut events).await.reason;
    assert!(reason.contains("the channel bindings differ: this side has none"), "{reason}");

    // The stranger tells both what they want to hear: the proof fits neither.
    let attacker = Attacker::between(
        ANY_PORT,
        server,
        |hello| hello_with(BindingKind::None, &hello),
        |challenge| challenge_with(BindingKind::TlsExporter, &challenge),
    )
    .await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::RejectedByPeer);
    let reason = refused(&mut events).await.reason;
    assert!(reason.contains("its proof of the secret is wrong"), "{reason}");
}

#[tokio::test]
async fn a_server_with_a_channel_takes_no_client_without() {
    let (server, mut events) = server().await;
    let server = server.address().unwrap();
    let plain = "tcp:127.0.0.1:0";
    let attacker = Attacker::between(plain, server, untouched, untouched).await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::BindingRequired);
    assert!(!refused(&mut events).await.authentication_failed, "no proof came");

    let attacker = Attacker::between(plain, server, untouched, |challenge| {
        challenge_with(BindingKind::None, &challenge)
    })
    .await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::RejectedByPeer);
    let reason = refused(&mut events).await.reason;
    assert!(reason.contains("the channel bindings differ: this side has tls-exporter"), "{reason}");

    let attacker = Attacker::between(
        plain,
        server,
        |hello| hello_with(BindingKind::TlsExporter, &hello),
        |challenge| challenge_with(BindingKind::None, &challenge),
    )
    .await;
    assert_eq!(authentication_error_of(&attacker.client()).await, AuthenticationError::RejectedByPeer);
    let reason = refused(&mut events).await.reason;
    assert!(reason.contains("its proof of the secret is wrong"), "{reason}");
}

#[tokio::test]
async fn a_wrong_secret_is_refused_over_tls_as_anywhere() {
    let (server, mut events) = server().await;
    let wrong = kaa_rpc_runtime::Secret::generate().unwrap();
    let client = client_with(server.address().unwrap(), |client| client.secret(wrong));
    assert_eq!(authentication_error_of(&client).await, AuthenticationError::RejectedByPeer);
    assert!(refused(&mut events).await.authentication_failed);
}
