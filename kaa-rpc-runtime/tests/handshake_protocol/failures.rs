//! The errors about peers that violate the handshake, and about programs that speak another protocol.

use kaa_rpc_test_support::assert_matches;
use std::time::Duration;

use kaa_rpc_runtime::protocol::handshake::message::{
    Hello, MalformedMessage, MessageType, Reject, RejectCode,
};
use kaa_rpc_runtime::protocol::handshake::{ClientHandshake, HandshakeError, ServerHandshake};
use kaa_rpc_runtime::protocol::limits::{Limits, LimitsError};

use crate::ends::{End, client, input, record, server};

/// The error of a server that receives these bytes, and the code of its REJECT if it sends one.
fn server_error(bytes: &[u8]) -> (HandshakeError, Option<RejectCode>) {
    let mut server = ServerHandshake::new(server());
    let error = End::of(server.handle_input(&mut input(bytes))).error();
    let answer = server.output();
    (error, (!answer.is_empty()).then(|| Reject::decode(&answer).unwrap().code))
}

/// The error of a client that receives these bytes.
fn client_error(bytes: &[u8]) -> HandshakeError {
    let mut client = ClientHandshake::new(client());
    client.output();
    let error = End::of(client.handle_input(&mut input(bytes))).error();
    assert_eq!(client.output(), "");
    error
}

#[test]
fn foreign_protocol_is_detected_and_not_answered() {
    for greeting in [
        &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00\x00",
        b"\x00\x21\x03a proof comes second",
        b"\x00\x50\x01KAARPX",
        b"\x00\x50\x09",
        b"\xff\xff",
    ] {
        let (error, answer) = server_error(greeting);
        let expected = greeting[..greeting.len().min(16)].to_vec();
        assert_eq!((error, answer), (HandshakeError::NotKaaRpc { received: expected }, None));
    }
    let error = client_error(b"SSH-2.0-OpenSSH_9.9\r\n");
    assert_eq!(
        error.to_string(),
        "the peer does not speak kaa-rpc; it began with \"SSH-2.0-OpenSSH_\", which is text: the peer is \
         another program, or a plugin that prints before it uses \"stdio:\""
    );
    for greeting in
        [&b"HTTP/1.1 400 Bad Request"[..], b"\x15\x03\x03\x00\x02", b"\x00\x23\x03", b"\x00\x21\x04"]
    {
        assert_matches!(client_error(greeting), HandshakeError::NotKaaRpc { .. });
    }
}

#[test]
fn client_reports_rejection_code() {
    let reject = |code, retry_after, versions: &[u8]| {
        client_error(&Reject { code, retry_after, versions: versions.to_vec() }.encode())
    };
    let none = Duration::ZERO;
    assert_eq!(reject(RejectCode::AuthFailed, none, &[1]), HandshakeError::RejectedByPeer);
    assert_eq!(
        reject(RejectCode::Version, none, &[3, 2]),
        HandshakeError::Version { ours: vec![1], theirs: vec![3, 2] }
    );
    let retry_after = Duration::from_millis(1500);
    assert_eq!(reject(RejectCode::Busy, retry_after, &[1]), HandshakeError::Busy { retry_after });
    assert_eq!(reject(RejectCode::SelfConnection, none, &[1]), HandshakeError::SelfConnection);
    for code in [RejectCode::Malformed, RejectCode::Unknown(99)] {
        assert_eq!(reject(code, none, &[1]), HandshakeError::Rejected { code });
    }
}

#[test]
fn rejection_may_replace_accept() {
    let mut client = ClientHandshake::new(client());
    client.handle_input(&mut input(&record(crate::ends::client(), server()).challenge)).unwrap();
    let busy = Reject { code: RejectCode::Busy, retry_after: Duration::from_secs(2), versions: vec![1] };
    let error = End::of(client.handle_input(&mut input(&busy.encode()))).error();
    assert_eq!(error, HandshakeError::Busy { retry_after: Duration::from_secs(2) });
}

#[test]
fn rejection_lists_supported_versions() {
    let hello = Hello::decode(&record(client(), server()).hello).unwrap();
    let mut server = ServerHandshake::new(server());
    let newer = Hello { versions: vec![5, 4], ..hello }.encode();
    let error = End::of(server.handle_input(&mut input(&newer))).error();
    assert_eq!(error, HandshakeError::Version { ours: vec![1], theirs: vec![5, 4] });
    let answer = Reject::decode(&server.output()).unwrap();
    assert_eq!((answer.code, answer.versions), (RejectCode::Version, vec![1]));
}

#[test]
fn busy_server_rejects_with_retry_delay() {
    let hello = record(client(), server()).hello;
    let retry_after = Duration::from_millis(700);
    let mut busy = ServerHandshake::busy(retry_after);
    assert_eq!(End::of(busy.handle_input(&mut input(&hello[..40]))), End::Waiting);
    assert_eq!(busy.output(), "");
    assert_eq!(End::of(busy.handle_input(&mut input(&hello))).error(), HandshakeError::Busy { retry_after });
    assert_eq!(client_error(&busy.output()), HandshakeError::Busy { retry_after });
    // Other protocols receive no answer here either.
    let mut busy = ServerHandshake::busy(retry_after);
    assert_matches!(busy.handle_input(&mut input(b"GET /")), Err(HandshakeError::NotKaaRpc { .. }));
    assert_eq!(busy.output(), "");
}

#[test]
fn messages_out_of_order_are_refused() {
    let recording = record(client(), server());
    let mut twice = recording.hello.clone();
    twice.extend_from_slice(&recording.hello);
    let (error, answer) = server_error(&twice);
    assert_eq!(error.to_string(), "the peer sent a message of type 1 where PROOF was expected",);
    assert_eq!(answer, Some(RejectCode::Malformed));

    let mut twice = recording.challenge.clone();
    twice.extend_from_slice(&recording.challenge);
    let mut client = ClientHandshake::new(client());
    assert_eq!(
        client.handle_input(&mut input(&twice)),
        Err(HandshakeError::UnexpectedMessage { expected: MessageType::Accept, received: 2 })
    );
}

#[test]
fn invalid_message_length_is_refused_at_once() {
    let recording = record(client(), server());
    for length in [0, 1025, u16::MAX] {
        let mut bytes = recording.hello.clone();
        bytes.extend_from_slice(&length.to_be_bytes());
        let expected = (HandshakeError::MessageLength { length }, Some(RejectCode::Malformed));
        assert_eq!(server_error(&bytes), expected);
    }
}

/// The problem of a HELLO that was changed, and whose length was corrected.
fn malformed_hello(change: impl FnOnce(&mut Vec<u8>)) -> MalformedMessage {
    let mut hello = record(client(), server()).hello;
    change(&mut hello);
    let length = u16::try_from(hello.len() - 2).unwrap();
    hello[..2].copy_from_slice(&length.to_be_bytes());
    match server_error(&hello) {
        (HandshakeError::Malformed { message: MessageType::Hello, problem }, Some(RejectCode::Malformed)) => {
            problem
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn malformed_hello_is_refused_with_problem() {
    // length 2, type 1, magic 8, versions 2, nonce 32, instance 16
    const KEY_ID: usize = 61;
    const AUDIENCE: usize = KEY_ID + 7;
    const BINDING: usize = AUDIENCE + 4;
    const LIMITS: usize = BINDING + 9;
    assert_eq!(malformed_hello(|hello| hello.push(0)), MalformedMessage::TooLong(1));
    assert_eq!(malformed_hello(|hello| hello.truncate(60)), MalformedMessage::TooShort);
    assert_eq!(malformed_hello(|hello| hello[12] = 0), MalformedMessage::Versions);
    assert_eq!(malformed_hello(|hello| drop(hello.splice(11..13, [2, 1, 2]))), MalformedMessage::Versions);
    assert_eq!(malformed_hello(|hello| drop(hello.splice(11..13, [2, 1, 1]))), MalformedMessage::Versions);
    assert_eq!(malformed_hello(|hello| drop(hello.splice(11..13, [0]))), MalformedMessage::Versions);
    let seventeen = std::iter::once(17).chain((1..=17).rev());
    assert_eq!(malformed_hello(|hello| drop(hello.splice(11..13, seventeen))), MalformedMessage::Versions);
    let too_long = std::iter::once(33).chain([b'k'; 33]);
    assert_eq!(
        malformed_hello(|hello| drop(hello.splice(KEY_ID..AUDIENCE, too_long))),
        MalformedMessage::KeyId
    );
    let too_long = std::iter::once(65).chain([b'a'; 65]);
    assert_eq!(
        malformed_hello(|hello| drop(hello.splice(AUDIENCE..BINDING, too_long))),
        MalformedMessage::Audience
    );
    assert_eq!(malformed_hello(|hello| hello[AUDIENCE + 1] = 0xff), MalformedMessage::Audience);
    assert_eq!(malformed_hello(|hello| hello[BINDING] = 2), MalformedMessage::UnknownBinding(2));
    let no_calls = Limits { max_inbound_calls: 0, ..Limits::default() }.encode();
    assert_eq!(
        malformed_hello(|hello| drop(hello.splice(LIMITS..LIMITS + 16, no_calls))),
        MalformedMessage::Limits(LimitsError::NoCalls)
    );
    // The length of the extension block is too large, then too small.
    let end = record(client(), server()).hello.len();
    assert_eq!(malformed_hello(|hello| hello[end - 1] = 1), MalformedMessage::TooShort);
    assert_eq!(malformed_hello(|hello| hello.extend([0, 0])), MalformedMessage::TooLong(2));
}

#[test]
fn debug_output_hides_secrets() {
    let mut client = ClientHandshake::new(client());
    client.output();
    let waiting = format!("{client:?}");
    client.handle_input(&mut input(&record(crate::ends::client(), server()).challenge)).unwrap();
    client.output();
    let mut server = ServerHandshake::new(server());
    let printed = format!("{waiting}{client:?}{server:?}");
    server.handle_input(&mut input(&record(crate::ends::client(), crate::ends::server()).hello)).unwrap();
    let printed = format!("{printed}{server:?}");
    assert!(printed.contains("redacted"), "{printed}");
    assert!(!printed.contains("correct horse") && !printed.contains("99, 111, 114, 114"), "{printed}");
}
