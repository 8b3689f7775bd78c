//! What both ends report where only one of them uses TLS, and what strangers at the port can do.

use std::time::Duration;

use kaa_rpc_runtime::{Backoff, ClientBuilder, ConnectError, ServerBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::fixture::*;
use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::waiting::*;

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn tls_client_at_plain_server_fails() {
    let (server, mut events) = server_at("tcp:127.0.0.1:0", |server| server).await;
    let address = server.address().unwrap().to_string().replace("tcp:", "tls:");
    let error = error_of(&client_at(&address)).await;
    assert!(matches!(&error, ConnectError::Transport(_)), "{error:?}");
    assert!(error.is_transient(), "the server might have been shutting down");
    let text = error.to_string();
    assert!(text.contains(&address) && text.contains("during the TLS handshake"), "{text}");
    let reason = refusal(&mut events).await.reason;
    assert!(
        reason.contains("which is TLS: the peer uses a tls: address, and this side does not"),
        "{reason}"
    );
}

#[tokio::test]
async fn plain_client_at_tls_server_fails() {
    let (server, mut events) = server().await;
    let error = error_of(&client_at(server.address().unwrap().to_string().replace("tls:", "tcp:"))).await;
    assert!(!error.is_transient(), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("which is TLS: the peer uses a tls: address, and this side does not"), "{text}");
    let reason = refusal(&mut events).await.reason;
    assert_eq!(reason, "the other end does not speak TLS; it may have a tcp: address");
}

#[tokio::test]
async fn tls_client_at_foreign_server_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_at(format!("tls:{}", listener.local_addr().unwrap()));
    let (mut stream, _) = within("a client to connect", listener.accept()).await.unwrap();
    within("the peer to take bytes", stream.write_all(b"220 mail.example ESMTP\r\n")).await.unwrap();
    let error = error_of(&client).await;
    assert!(!error.is_transient(), "{error:?}");
    assert!(error.to_string().contains("the other end does not speak TLS; it may"), "{error}");
}

#[tokio::test]
async fn garbage_is_refused_at_once() {
    // The timeouts are long, so that only the bytes can end the connection.
    let patient = |server: ServerBuilder| server.hello_timeout(LONG).handshake_timeout(LONG);
    let (server, mut events) = server_at(ANY_PORT, patient).await;
    let garbage: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0; 64],
        &[0xff; 4096],
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff",
    ];
    for bytes in garbage {
        let mut stranger = TcpStream::connect(socket_address(&server)).await.unwrap();
        within("the peer to take bytes", stranger.write_all(bytes)).await.unwrap();
        let refused = refusal(&mut events).await;
        assert!(!refused.authentication_failed, "{refused:?}");

        let mut rest = Vec::new();
        // The connection may end with a reset, because the server may not have read everything.
        let _end = within("the end of the connection", stranger.read_to_end(&mut rest)).await;
    }
    let client = client_at(server.address().unwrap());
    assert_eq!(within("the reply to ECHO", call_method::<ECHO>(&client.peer(), 5)).await, Ok(5));
}

/// A ClientHello of TLS 1.2, byte by byte: it offers what was usual, and no later version.
fn hello_of_tls_1_2() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]); // random
    body.push(0); // session id
    body.extend([0, 4, 0xc0, 0x2b, 0xc0, 0x2f]); // ECDHE with AES-128-GCM, for ECDSA and RSA
    body.extend([1, 0]); // no compression
    let extensions = [
        &[0, 10, 0, 4, 0, 2, 0, 23][..],          // groups: P-256
        &[0, 13, 0, 6, 0, 4, 4, 3, 8, 7],         // signatures: ECDSA with P-256, Ed25519
        b"\x00\x10\x00\x0c\x00\x0a\x09kaa-rpc/1", // ALPN
    ]
    .concat();
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1, 0];
    message.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    message.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
    record.extend(message);
    record
}

#[tokio::test]
async fn tls_1_2_client_is_refused() {
    let (server, mut events) = server().await;
    let mut client = TcpStream::connect(socket_address(&server)).await.unwrap();
    within("the peer to take bytes", client.write_all(&hello_of_tls_1_2())).await.unwrap();
    let mut answer = Vec::new();
    within("the end of the connection", client.read_to_end(&mut answer)).await.unwrap();
    // A record with a fatal alert: protocol_version.
    assert_eq!(answer, [21, 3, 3, 0, 2, 2, 70]);
    assert_eq!(refusal(&mut events).await.reason, "the other end does not speak TLS 1.3");
}

#[tokio::test]
async fn tls_1_2_server_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_at(format!("tls:{}", listener.local_addr().unwrap()));
    let (mut stream, _) = within("a client to connect", listener.accept()).await.unwrap();
    // OpenSSL answers with a fatal alert, protocol_version.
    within("the peer to take bytes", stream.write_all(&[21, 3, 3, 0, 2, 2, 70])).await.unwrap();
    let error = error_of(&client).await.to_string();
    assert!(error.contains("the other end does not speak TLS 1.3"), "{error}");

    let client = client_at(format!("tls:{}", listener.local_addr().unwrap()));
    let (mut stream, _) = within("a client to connect", listener.accept()).await.unwrap();
    // A ServerHello that chooses 1.2 nevertheless.
    let mut body = vec![2, 0, 0, 38, 3, 3];
    body.extend([9; 32]);
    body.extend([0, 0xc0, 0x2b, 0]);
    let mut record = vec![22, 3, 3, 0, u8::try_from(body.len()).unwrap()];
    record.extend(body);
    within("the peer to take bytes", stream.write_all(&record)).await.unwrap();
    let error = error_of(&client).await.to_string();
    assert!(error.contains("the other end does not speak TLS 1.3"), "{error}");
}

#[tokio::test]
async fn silent_strangers_are_refused_and_block_no_client() {
    let time = Duration::from_millis(300);
    let (server, mut events) = server_at(ANY_PORT, |server| server.handshake_timeout(time)).await;
    // Some send nothing, some stop in the middle of their first message.
    let mut strangers = Vec::new();
    for number in 0..20 {
        let mut stranger = TcpStream::connect(socket_address(&server)).await.unwrap();
        if number % 2 == 0 {
            within("the peer to take bytes", stranger.write_all(&hello_of_tls_1_2()[..20])).await.unwrap();
        }
        strangers.push(stranger);
    }
    // On a busy machine the honest client may need more than one attempt.
    let reconnecting = |client: ClientBuilder| client.reconnect(Backoff::default());
    let client = client_with(server.address().unwrap(), reconnecting);
    assert_eq!(within("the reply to ECHO", call_method::<ECHO>(&client.peer(), 5)).await, Ok(5));
    for _ in &strangers {
        assert_eq!(refusal(&mut events).await.reason, "the client did not authenticate itself in time");
    }
}

#[tokio::test]
async fn hello_timeout_covers_tls_handshake() {
    let time = Duration::from_millis(200);
    let (server, mut events) = server_at(ANY_PORT, |server| server.hello_timeout(time)).await;
    let _stranger = TcpStream::connect(socket_address(&server)).await.unwrap();
    assert_eq!(refusal(&mut events).await.reason, "the TLS handshake did not complete within 200ms");
}

#[tokio::test]
async fn silent_server_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_with(format!("tls:{}", listener.local_addr().unwrap()), |client| {
        client.connect_timeout(Duration::from_millis(100))
    });
    let error = error_of(&client).await;
    assert!(matches!(error, ConnectError::Timeout(_)), "{error:?}");
}
