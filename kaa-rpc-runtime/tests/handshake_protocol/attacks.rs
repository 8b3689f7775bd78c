//! The attacks that the handshake prevents. Each test has a control: the same handshake without the attack
//! succeeds.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use kaa_rpc_runtime::protocol::handshake::message::{
    Accept, BindingKind, Challenge, Hello, MessageType, Proof,
};
use kaa_rpc_runtime::protocol::handshake::{
    Audience, ChannelBinding, ClientHandshake, ClientParameters, HandshakeError, InstanceId, RefusalReason,
    ServerHandshake, ServerParameters,
};
use kaa_rpc_runtime::secret::{KeyId, Keys, Secret};
use sha2::{Digest, Sha256};

use crate::ends::{End, SECRET, client, input, record, run, server, untouched};

fn refusal(end: End) -> RefusalReason {
    match end.error() {
        HandshakeError::Refused { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

fn audience(name: &str) -> Audience {
    Audience::new(name).unwrap()
}

/// A rogue server has two connections from one client, and uses the proof of the second to answer on the
/// first.
#[test]
fn reflected_client_proof_fails() {
    let recording = record(client(), server());
    // The worst case: the two connections have the same nonce.
    let mut first = ClientHandshake::new(client());
    let mut second = ClientHandshake::new(client());
    assert_eq!(first.output(), second.output());
    first.handle_input(&mut input(&recording.challenge)).unwrap();
    second.handle_input(&mut input(&recording.challenge)).unwrap();
    let stolen = Proof::decode(&second.output()).unwrap();
    let forged = Accept { mac: stolen.mac }.encode();
    assert_eq!(End::of(first.handle_input(&mut input(&forged))).error(), HandshakeError::ServerProofInvalid);
    End::of(second.handle_input(&mut input(&recording.accept))).established();
}

/// A program is client and server, and an attacker connects its client to its server.
#[test]
fn self_connection_is_refused_on_both_ends() {
    let node = InstanceId::new([8; 16]);
    let own_client = || ClientParameters { instance: node, ..client() };
    let own_server = || ServerParameters { instance: node, ..server() };
    let (client_end, server_end) = run(own_client(), own_server(), untouched);
    assert_eq!(server_end.error(), HandshakeError::SelfConnection);
    assert_eq!(client_end.error(), HandshakeError::SelfConnection);
    // The client also detects it by itself, before it proves anything.
    let challenge = record(client(), own_server()).challenge;
    let mut alone = ClientHandshake::new(own_client());
    alone.output();
    assert_eq!(End::of(alone.handle_input(&mut input(&challenge))).error(), HandshakeError::SelfConnection);
    assert_eq!(alone.output(), "");
}

/// A rogue service forwards a client's messages to another service that has the same secret.
#[test]
fn proof_for_other_audience_fails() {
    let other_service = || ServerParameters { audience: audience("beacon"), ..server() };
    let (client_end, server_end) = run(client(), other_service(), untouched);
    assert_eq!(refusal(server_end), RefusalReason::Audience { claimed: audience("epg") });
    assert_eq!(client_end.error(), HandshakeError::RejectedByPeer);
    // Changing the audience on the way breaks the proof.
    let (client_end, server_end) = run(client(), other_service(), |message_type, message| {
        if message_type == MessageType::Hello {
            let hello = Hello::decode(message).unwrap();
            *message = Hello { audience: audience("beacon"), ..hello }.encode();
        }
    });
    assert_eq!(refusal(server_end), RefusalReason::WrongProof);
    assert_eq!(client_end.error(), HandshakeError::RejectedByPeer);
    let to_other = ClientParameters { audience: audience("beacon"), ..client() };
    run(to_other, other_service(), untouched).0.established();
}

#[test]
fn replayed_handshake_fails() {
    let recording = record(client(), server());
    let replay = |server: ServerParameters| {
        let mut server = ServerHandshake::new(server);
        server.handle_input(&mut input(&recording.hello)).unwrap();
        End::of(server.handle_input(&mut input(&recording.proof)))
    };
    assert_eq!(refusal(replay(ServerParameters { nonce: [44; 32], ..server() })), RefusalReason::WrongProof);
    assert!(replay(server()).is_done(), "only the nonce prevents the replay");

    let replay = |client: ClientParameters| {
        let mut client = ClientHandshake::new(client);
        client.handle_input(&mut input(&recording.challenge)).unwrap();
        End::of(client.handle_input(&mut input(&recording.accept)))
    };
    let fresh = ClientParameters { nonce: [11; 32], ..client() };
    assert_eq!(replay(fresh).error(), HandshakeError::ServerProofInvalid);
    replay(client()).established();
}

/// The proofs of a peer of version 2, implemented a second time from the specification.
struct IndependentProofs {
    hash: [u8; 32],
}

impl IndependentProofs {
    fn new(hello: &[u8], challenge: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [b"kaa-rpc/1 transcript", hello, challenge, b""] {
            hash.update(u32::try_from(part.len()).unwrap().to_be_bytes());
            hash.update(part);
        }
        Self { hash: hash.finalize().into() }
    }

    fn client_proof(&self) -> [u8; 32] {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(SECRET).unwrap();
        mac.chain_update(b"kaa-rpc/1 client proof\0").chain_update(self.hash).finalize().into_bytes().into()
    }
}

#[test]
fn downgrade_of_newer_client_fails() {
    let own = Hello { versions: vec![2, 1], ..Hello::decode(&record(client(), server()).hello).unwrap() };
    let stripped = Hello { versions: vec![1], ..own.clone() }.encode();
    let own = own.encode();
    let attempt = |arrives: &[u8]| {
        let mut server = ServerHandshake::new(server());
        server.handle_input(&mut input(arrives)).unwrap();
        let challenge = server.output();
        let proof = Proof { mac: IndependentProofs::new(&own, &challenge).client_proof() };
        End::of(server.handle_input(&mut input(&proof.encode())))
    };
    assert_eq!(refusal(attempt(&stripped)), RefusalReason::WrongProof);
    attempt(&own).established();
}

#[test]
fn downgrade_of_newer_server_fails() {
    let recording = record(client(), server());
    let challenge = Challenge { versions: vec![2, 1], ..Challenge::decode(&recording.challenge).unwrap() };
    let own = challenge.encode();
    let stripped = Challenge { versions: vec![1], ..challenge.clone() }.encode();
    let proof_after = |arrives: &[u8]| {
        let mut client = ClientHandshake::new(client());
        let hello = client.output();
        client.handle_input(&mut input(arrives)).unwrap();
        (Proof::decode(&client.output()).unwrap().mac, IndependentProofs::new(&hello, &own).client_proof())
    };
    let (made, expected) = proof_after(&stripped);
    assert_ne!(made, expected, "the server detects that its versions were changed");
    let (made, expected) = proof_after(&own);
    assert_eq!(made, expected);
    // A version that is not the best common one, or that is in no list, is not answered with a proof.
    for (version, versions) in [(2, vec![2, 1]), (1, vec![2]), (3, vec![1])] {
        let mut client = ClientHandshake::new(client());
        client.output();
        let wrong = Challenge { version, versions: versions.clone(), ..challenge.clone() }.encode();
        assert_eq!(
            End::of(client.handle_input(&mut input(&wrong))).error(),
            HandshakeError::WrongVersionChosen { chosen: version, ours: vec![1], theirs: versions }
        );
        assert_eq!(client.output(), "");
    }
}

/// An attacker has one channel to each end, so the ends export different bytes.
#[test]
fn proof_is_bound_to_channel() {
    let on = |byte: u8| Some(ChannelBinding::tls_exporter([byte; 32]));
    let (client_end, server_end) = run(
        ClientParameters { binding: on(1), ..client() },
        ServerParameters { binding: on(2), ..server() },
        untouched,
    );
    assert_eq!(refusal(server_end), RefusalReason::WrongProof);
    assert_eq!(client_end.error(), HandshakeError::RejectedByPeer);
    let same = run(
        ClientParameters { binding: on(1), ..client() },
        ServerParameters { binding: on(1), ..server() },
        untouched,
    );
    same.0.established();
}

#[test]
fn stripped_binding_fails() {
    let bound = || ClientParameters { binding: Some(ChannelBinding::tls_exporter([1; 32])), ..client() };
    let required =
        HandshakeError::BindingRequired { ours: BindingKind::TlsExporter, theirs: BindingKind::None };
    // The attacker removes the binding on the way to the server: the server's answer shows it.
    let strip = |message: &mut Vec<u8>| {
        let hello = Hello::decode(message).unwrap();
        *message = Hello { binding: BindingKind::None, ..hello }.encode();
    };
    let mut proofs = 0;
    let (client_end, server_end) = run(bound(), server(), |message_type, message| match message_type {
        MessageType::Hello => strip(message),
        MessageType::Proof => proofs += 1,
        _ => {}
    });
    assert_eq!((client_end.error(), server_end, proofs), (required, End::Waiting, 0));
    // The attacker also adds it to the answer: the proof does not match.
    let (client_end, server_end) = run(bound(), server(), |message_type, message| match message_type {
        MessageType::Hello => strip(message),
        MessageType::Challenge => {
            let challenge = Challenge::decode(message).unwrap();
            *message = Challenge { binding: BindingKind::TlsExporter, ..challenge }.encode();
        }
        _ => {}
    });
    assert_eq!(refusal(server_end), RefusalReason::WrongProof);
    assert_eq!(client_end.error(), HandshakeError::RejectedByPeer);
}

#[test]
fn one_sided_binding_fails() {
    let bound = || ServerParameters { binding: Some(ChannelBinding::tls_exporter([1; 32])), ..server() };
    let (client_end, server_end) = run(client(), bound(), untouched);
    assert_eq!(
        client_end.error(),
        HandshakeError::BindingRequired { ours: BindingKind::None, theirs: BindingKind::TlsExporter }
    );
    assert_eq!(server_end, End::Waiting);
    // A client that continues nevertheless is refused, with any proof.
    let mut rogue = ServerHandshake::new(bound());
    let hello = ClientHandshake::new(client()).output();
    rogue.handle_input(&mut input(&hello)).unwrap();
    let challenge = rogue.output();
    let proof = Proof { mac: IndependentProofs::new(&hello, &challenge).client_proof() }.encode();
    assert_eq!(
        refusal(End::of(rogue.handle_input(&mut input(&proof)))),
        RefusalReason::Binding { ours: BindingKind::TlsExporter, theirs: BindingKind::None }
    );
}

/// The messages to a stranger must not reveal which key ids or services exist.
#[test]
fn refusals_are_indistinguishable() {
    let wrong_secret = || Secret::new(*b"not the right secret").unwrap();
    let refused = [
        (ClientParameters { secret: wrong_secret(), ..client() }, RefusalReason::WrongProof),
        (
            ClientParameters { key_id: KeyId::new("winter").unwrap(), secret: wrong_secret(), ..client() },
            RefusalReason::UnknownKeyId,
        ),
        (ClientParameters { key_id: KeyId::new("winter").unwrap(), ..client() }, RefusalReason::UnknownKeyId),
        (
            ClientParameters { audience: audience("beacon"), ..client() },
            RefusalReason::Audience { claimed: audience("beacon") },
        ),
        // Without the secret, the claimed audience is not logged either.
        (
            ClientParameters { audience: audience("beacon"), secret: wrong_secret(), ..client() },
            RefusalReason::WrongProof,
        ),
    ];
    let mut seen = Vec::new();
    for (client, expected) in refused {
        let mut from_server = Vec::new();
        let (client_end, server_end) = run(client, server(), |message_type, message| {
            if !matches!(message_type, MessageType::Hello | MessageType::Proof) {
                from_server.push(message.clone());
            }
        });
        assert_eq!(refusal(server_end), expected);
        assert_eq!(client_end.error(), HandshakeError::RejectedByPeer);
        seen.push(from_server);
    }
    assert_eq!(seen[0].len(), 2, "CHALLENGE and REJECT");
    assert!(seen.iter().all(|messages| *messages == seen[0]), "{seen:02x?}");
}

/// The decoy only makes unknown key ids take the same time. It does not authenticate.
#[test]
fn decoy_secret_is_refused() {
    let decoy = || Secret::new(*b"knowing the decoy does not help").unwrap();
    let (client_end, server_end) = run(
        ClientParameters { key_id: KeyId::new("winter").unwrap(), secret: decoy(), ..client() },
        ServerParameters { decoy: decoy(), ..server() },
        untouched,
    );
    assert_eq!(refusal(server_end), RefusalReason::UnknownKeyId);
    assert!(!client_end.is_done(), "{client_end:?}");
}

#[test]
fn server_without_secret_proves_nothing() {
    // The server accepts any proof, but must send an ACCEPT with its own.
    let recording = record(client(), server());
    let mut victim = ClientHandshake::new(client());
    victim.handle_input(&mut input(&recording.challenge)).unwrap();
    let forged = Accept { mac: [0; 32] }.encode();
    assert_eq!(End::of(victim.handle_input(&mut input(&forged))).error(), HandshakeError::ServerProofInvalid);
}

#[test]
fn old_and_new_secrets_are_valid_together() {
    let (old, new) = (KeyId::new("old").unwrap(), KeyId::new("new").unwrap());
    let secret_of = |byte: u8| Secret::new([byte; 20]).unwrap();
    let as_client = |key_id: &KeyId, byte| ClientParameters {
        key_id: key_id.clone(),
        secret: secret_of(byte),
        ..client()
    };
    let mut keys = Keys::new().with(old.clone(), secret_of(1)).with(new.clone(), secret_of(2));
    let both = || ServerParameters { keys: Arc::new(keys.clone()), ..server() };
    assert_eq!(run(as_client(&old, 1), both(), untouched).1.established().key_id, old);
    assert_eq!(run(as_client(&new, 2), both(), untouched).1.established().key_id, new);
    assert_eq!(refusal(run(as_client(&new, 1), both(), untouched).1), RefusalReason::WrongProof);
    keys.remove(&old);
    let one = ServerParameters { keys: Arc::new(keys), ..server() };
    assert_eq!(refusal(run(as_client(&old, 1), one, untouched).1), RefusalReason::UnknownKeyId);
}
