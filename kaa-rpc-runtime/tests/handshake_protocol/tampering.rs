//! Any changed bit on the way is detected, and the bytes may arrive in any parts.

use kaa_rpc_runtime::protocol::handshake::message::MessageType;
use kaa_rpc_runtime::protocol::handshake::{
    ChannelBinding, ClientHandshake, ClientParameters, HandshakeError, ServerHandshake, ServerParameters,
};
use proptest::prelude::*;

use crate::ends::{End, client, input, record, run, server, untouched};

fn bound() -> (ClientParameters, ServerParameters) {
    let binding = Some(ChannelBinding::tls_exporter([9; 32]));
    (ClientParameters { binding, ..client() }, ServerParameters { binding, ..server() })
}

#[test]
fn handshake_establishes_equal_sessions() {
    for (client, server) in [(client(), server()), bound()] {
        let (client_end, server_end) = run(client.clone(), server.clone(), untouched);
        let (client_end, server_end) = (client_end.established(), server_end.established());
        assert_eq!(client_end.session_id, server_end.session_id);
        assert_eq!(client_end.key_id, server_end.key_id);
        assert_eq!((client_end.peer_limits, server_end.peer_limits), (server.limits, client.limits));
        assert_eq!((client_end.peer_schema, server_end.peer_schema), (server.schema, client.schema));
        assert_eq!((client_end.peer_instance, server_end.peer_instance), (server.instance, client.instance));
    }
}

#[test]
fn flipped_bits_are_detected() {
    let (client, server) = bound();
    let recording = record(client.clone(), server.clone());
    for (kind, length) in [
        (MessageType::Hello, recording.hello.len()),
        (MessageType::Challenge, recording.challenge.len()),
        (MessageType::Proof, recording.proof.len()),
        (MessageType::Accept, recording.accept.len()),
    ] {
        for bit in 0..length * 8 {
            let (client_end, server_end) = run(client.clone(), server.clone(), |message_type, message| {
                if message_type == kind {
                    message[bit / 8] ^= 1 << (bit % 8);
                }
            });
            assert!(!client_end.is_done(), "{kind}, bit {bit}");
            // The server is done when it has sent ACCEPT, so it cannot detect that this message was changed.
            assert_eq!(server_end.is_done(), kind == MessageType::Accept, "{kind}, bit {bit}");
        }
    }
}

#[test]
fn inserted_and_removed_bytes_are_detected() {
    let recording = record(client(), server());
    for (kind, length) in [
        (MessageType::Hello, recording.hello.len()),
        (MessageType::Challenge, recording.challenge.len()),
        (MessageType::Proof, recording.proof.len()),
        (MessageType::Accept, recording.accept.len()),
    ] {
        for at in 0..length {
            for insert in [true, false] {
                let (client_end, server_end) = run(client(), server(), |message_type, message| {
                    if message_type == kind && insert {
                        // The complement, so that the inserted byte differs from its neighbours. The length
                        // is corrected, so that only the proofs can detect the change.
                        let byte = !message[at];
                        message.insert(at, byte);
                        fix_length(message);
                    } else if message_type == kind {
                        message.remove(at);
                        fix_length(message);
                    }
                });
                assert!(!client_end.is_done(), "{kind}, byte {at}");
                assert_eq!(server_end.is_done(), kind == MessageType::Accept, "{kind}, byte {at}");
            }
        }
    }
}

fn fix_length(message: &mut [u8]) {
    let length = u16::try_from(message.len() - 2).unwrap();
    message[..2].copy_from_slice(&length.to_be_bytes());
}

#[test]
fn partial_message_waits_for_rest() {
    let recording = record(client(), server());
    for cut in 0..recording.hello.len() {
        let mut server = ServerHandshake::new(server());
        let mut arrived = input(&recording.hello[..cut]);
        assert_eq!(End::of(server.handle_input(&mut arrived)), End::Waiting, "HELLO truncated at {cut}");
        assert_eq!(server.output(), "");
        assert_eq!(arrived, recording.hello[..cut], "an incomplete message stays in the input");
        arrived.extend_from_slice(&recording.hello[cut..]);
        assert_eq!(End::of(server.handle_input(&mut arrived)), End::Waiting);
        assert_eq!(server.output(), recording.challenge);
        for cut in 0..recording.proof.len() {
            assert_eq!(End::of(server.handle_input(&mut input(&recording.proof[..cut]))), End::Waiting);
        }
        End::of(server.handle_input(&mut input(&recording.proof))).established();
    }
    for cut in 0..recording.challenge.len() {
        let mut client = ClientHandshake::new(client());
        client.output();
        let mut arrived = input(&recording.challenge[..cut]);
        assert_eq!(End::of(client.handle_input(&mut arrived)), End::Waiting, "CHALLENGE truncated at {cut}");
        assert_eq!(client.output(), "");
        arrived.extend_from_slice(&recording.challenge[cut..]);
        assert_eq!(End::of(client.handle_input(&mut arrived)), End::Waiting);
        assert_eq!(client.output(), recording.proof);
        for cut in 0..recording.accept.len() {
            assert_eq!(End::of(client.handle_input(&mut input(&recording.accept[..cut]))), End::Waiting);
        }
        End::of(client.handle_input(&mut input(&recording.accept))).established();
    }
}

#[test]
fn bytes_after_handshake_are_kept() {
    let recording = record(client(), server());
    let mut server = ServerHandshake::new(server());
    server.handle_input(&mut input(&recording.hello)).unwrap();
    let mut arrived = input(&recording.proof);
    arrived.extend_from_slice(b"frames");
    End::of(server.handle_input(&mut arrived)).established();
    assert_eq!(arrived, "frames");

    // Both messages of the server arrive at once: the client handles both.
    let mut client = ClientHandshake::new(client());
    let mut arrived = input(&recording.challenge);
    arrived.extend_from_slice(&recording.accept);
    arrived.extend_from_slice(b"frames");
    End::of(client.handle_input(&mut arrived)).established();
    assert_eq!(client.output(), recording.proof);
    assert_eq!(arrived, "frames");
}

/// Bytes that sometimes pass the first checks.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let recording = record(client(), server());
    let messages = vec![recording.hello, recording.challenge, recording.proof, recording.accept];
    let mutated = (
        prop::sample::select(messages),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        any::<bool>(),
    )
        .prop_map(|(mut message, changes, has_right_length)| {
            for (at, byte) in changes {
                let at = at.index(message.len());
                message[at] = byte;
            }
            if has_right_length {
                fix_length(&mut message);
            }
            message
        });
    prop_oneof![mutated, prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn hostile_messages_establish_nothing(pieces in prop::collection::vec(hostile(), 1..4)) {
        let recording = record(client(), server());
        for has_started in [false, true] {
            let mut server = ServerHandshake::new(server());
            let mut client = ClientHandshake::new(client());
            if has_started {
                server.handle_input(&mut input(&recording.hello)).unwrap();
                client.handle_input(&mut input(&recording.challenge)).unwrap();
            }
            let (mut to_server, mut to_client) = (input(b""), input(b""));
            for piece in &pieces {
                // A mutation may leave a message unchanged.
                if *piece == recording.proof || *piece == recording.accept {
                    continue;
                }
                to_server.extend_from_slice(piece);
                to_client.extend_from_slice(piece);
                prop_assert!(!End::of(server.handle_input(&mut to_server)).is_done());
                prop_assert!(!End::of(client.handle_input(&mut to_client)).is_done());
            }
        }
    }

    #[test]
    fn failed_handshake_stays_failed(garbage in prop::collection::vec(any::<u8>(), 0..100)) {
        let recording = record(client(), server());
        let mut server = ServerHandshake::new(server());
        server.handle_input(&mut input(&[0, 0, 9])).unwrap_err();
        prop_assert_eq!(server.handle_input(&mut input(&garbage)), Err(HandshakeError::Ended));
        prop_assert_eq!(server.handle_input(&mut input(&recording.hello)), Err(HandshakeError::Ended));
        let mut client = ClientHandshake::new(client());
        client.handle_input(&mut input(&[0, 0, 9])).unwrap_err();
        prop_assert_eq!(client.handle_input(&mut input(&garbage)), Err(HandshakeError::Ended));
        prop_assert_eq!(client.handle_input(&mut input(&recording.challenge)), Err(HandshakeError::Ended));
    }
}
