//! What both ends say where only one of them means TLS, and what a stranger at the port can do.

use std::time::{Duration, Instant};

use kaa_rpc_runtime::ConnectError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::streams::*;
use crate::support::*;

#[tokio::test]
async fn a_tls_client_at_a_plain_server() {
    let (server, mut events) = server_at("tcp:127.0.0.1:0", |server| server).await;
    let address = server.address().unwrap().to_string().replace("tcp:", "tls:");
    let error = error_of(&client_at(&address)).await;
    assert!(matches!(&error, ConnectError::Transport(_)), "{error:?}");
    assert!(error.is_transient(), "the server might have been about to end");
    let text = error.to_string();
    assert!(text.contains(&address) && text.contains("during the TLS handshake"), "{text}");
    let reason = refused(&mut events).await.reason;
    assert!(
        reason.contains("which is TLS: the peer uses a tls: address, and this side does not"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_plain_client_at_a_tls_server() {
    let (server, mut events) = server().await;
    let error = error_of(&client_at(server.address().unwrap().to_string().replace("tls:", "tcp:"))).await;
    assert!(!error.is_transient());
    let text = error.to_string();
    assert!(text.contains("which is TLS: the peer uses a tls: address, and this side does not"), "{text}");
    let reason = refused(&mut events).await.reason;
    assert_eq!(reason, "the other end does not speak TLS; it may have a tcp: address");
}

#[tokio::test]
async fn a_tls_client_at_a_server_of_something_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_at(format!("tls:{}", listener.local_addr().unwrap()));
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    within(stream.write_all(b"220 mail.example ESMTP\r\n")).await.unwrap();
    let error = error_of(&client).await;
    assert!(!error.is_transient());
    assert!(error.to_string().contains("the other end does not speak TLS; it may"), "{error}");
}

#[tokio::test]
async fn garbage_is_refused_at_once_and_the_server_goes_on() {
    let (server, mut events) = server().await;
    let garbage: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\n\r\n",
        &[0; 64],
        &[0xff; 4096],
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff",
    ];
    for bytes in garbage {
        let start = Instant::now();
        let mut stranger = TcpStream::connect(socket_address(&server)).await.unwrap();
        within(stranger.write_all(bytes)).await.unwrap();
        let refused = refused(&mut events).await;
        assert!(!refused.authentication_failed);
        assert!(start.elapsed() < Duration::from_secs(2), "{refused:?}");
        let mut rest = Vec::new();
        // The end comes as such or as a reset, since not all may have been read.
        let _end = within(stranger.read_to_end(&mut rest)).await;
    }
    let client = client_at(server.address().unwrap());
    assert_eq!(within(ask::<ECHO>(&client.peer(), 5)).await, Ok(5));
}

/// A ClientHello of TLS 1.2, byte by byte: it offers what was usual, and knows nothing of later versions.
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
async fn tls_1_2_is_refused() {
    let (server, mut events) = server().await;
    let mut client = TcpStream::connect(socket_address(&server)).await.unwrap();
    within(client.write_all(&hello_of_tls_1_2())).await.unwrap();
    let mut answer = Vec::new();
    within(client.read_to_end(&mut answer)).await.unwrap();
    // A record with a fatal alert: protocol_version.
    assert_eq!(answer, [21, 3, 3, 0, 2, 2, 70]);
    assert_eq!(refused(&mut events).await.reason, "the other end does not speak TLS 1.3");
}

#[tokio::test]
async fn a_server_that_knows_only_tls_1_2_is_not_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_at(format!("tls:{}", listener.local_addr().unwrap()));
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    // What OpenSSL answers there: a fatal alert, protocol_version.
    within(stream.write_all(&[21, 3, 3, 0, 2, 2, 70])).await.unwrap();
    assert!(error_of(&client).await.to_string().contains("the other end does not speak TLS 1.3"));

    let client = client_at(format!("tls:{}", listener.local_addr().unwrap()));
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    // A ServerHello that chooses 1.2 all the same.
    let mut body = vec![2, 0, 0, 38, 3, 3];
    body.extend([9; 32]);
    body.extend([0, 0xc0, 0x2b, 0]);
    let mut record = vec![22, 3, 3, 0, u8::try_from(body.len()).unwrap()];
    record.extend(body);
    within(stream.write_all(&record)).await.unwrap();
    assert!(error_of(&client).await.to_string().contains("the other end does not speak TLS 1.3"));
}

#[tokio::test]
async fn who_is_silent_is_refused_in_time_and_holds_nobody_up() {
    let time = Duration::from_millis(300);
    let (server, mut events) = server_at(ANY_PORT, |server| server.handshake_timeout(time)).await;
    // Some say nothing, some stop amid their first message.
    let mut strangers = Vec::new();
    for number in 0..20 {
        let mut stranger = TcpStream::connect(socket_address(&server)).await.unwrap();
        if number % 2 == 0 {
            within(stranger.write_all(&hello_of_tls_1_2()[..20])).await.unwrap();
        }
        strangers.push(stranger);
    }
    let client = client_at(server.address().unwrap());
    assert_eq!(within(ask::<ECHO>(&client.peer(), 5)).await, Ok(5));
    for _ in &strangers {
        assert_eq!(refused(&mut events).await.reason, "the client did not authenticate itself in time");
    }
}

#[tokio::test]
async fn the_channel_has_to_be_there_in_the_time_of_a_first_word() {
    let time = Duration::from_millis(200);
    let (server, mut events) = server_at(ANY_PORT, |server| server.hello_timeout(time)).await;
    let _stranger = TcpStream::connect(socket_address(&server)).await.unwrap();
    assert_eq!(refused(&mut events).await.reason, "the TLS handshake did not complete within 200ms");
}

#[tokio::test]
async fn a_server_that_never_answers_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_with(format!("tls:{}", listener.local_addr().unwrap()), |client| {
        client.connect_timeout(Duration::from_millis(100))
    });
    assert!(matches!(error_of(&client).await, ConnectError::Timeout(_)));
}
