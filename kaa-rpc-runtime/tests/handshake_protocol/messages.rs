//! Messages are decoded as they were encoded, and each message has only one encoding.

use std::time::Duration;

use kaa_rpc_runtime::protocol::handshake::message::{
    BindingKind, Challenge, Hello, MalformedMessage, Proof, Reject, RejectCode,
};
use kaa_rpc_runtime::protocol::handshake::{Audience, InstanceId, MAX_MESSAGE};
use kaa_rpc_runtime::protocol::limits::Limits;
use kaa_rpc_runtime::secret::KeyId;
use proptest::prelude::*;

fn versions() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::btree_set(1_u8.., 1..=16).prop_map(|set| set.into_iter().rev().collect())
}

fn binding() -> impl Strategy<Value = BindingKind> {
    prop_oneof![Just(BindingKind::None), Just(BindingKind::TlsExporter)]
}

fn limits() -> impl Strategy<Value = Limits> {
    (1024_u32.., 1_u32.., 1_u32.., 1_u32..).prop_map(
        |(max_frame, max_inbound_calls, oneway_window, stream_window)| Limits {
            max_frame,
            max_inbound_calls,
            oneway_window,
            stream_window,
        },
    )
}

fn hello() -> impl Strategy<Value = Hello> {
    let names = (prop::collection::vec(any::<u8>(), 0..=32), "[a-zé☃]{0,21}");
    let ids = (any::<[u8; 32]>(), any::<[u8; 16]>(), any::<[u8; 32]>(), any::<u64>());
    (versions(), ids, names, binding(), limits()).prop_map(
        |(versions, (nonce, instance, schema, features), (key_id, audience), binding, limits)| Hello {
            versions,
            nonce,
            instance: InstanceId::new(instance),
            key_id: KeyId::new(key_id).unwrap(),
            audience: Audience::new(audience).unwrap(),
            binding,
            features,
            limits,
            schema,
        },
    )
}

fn challenge() -> impl Strategy<Value = Challenge> {
    let ids = (any::<[u8; 32]>(), any::<[u8; 16]>(), any::<[u8; 32]>(), any::<u64>());
    (any::<u8>(), versions(), ids, binding(), limits()).prop_map(
        |(version, versions, (nonce, instance, schema, features), binding, limits)| Challenge {
            version,
            versions,
            nonce,
            instance: InstanceId::new(instance),
            binding,
            features,
            limits,
            schema,
        },
    )
}

proptest! {
    #[test]
    fn hello_round_trips(hello in hello()) {
        let bytes = hello.encode();
        prop_assert!(bytes.len() <= MAX_MESSAGE + 2);
        prop_assert_eq!(Hello::decode(&bytes), Ok(hello));
    }

    #[test]
    fn challenge_round_trips(challenge in challenge()) {
        prop_assert_eq!(Challenge::decode(&challenge.encode()), Ok(challenge));
    }

    #[test]
    fn reject_round_trips(code: u8, milliseconds: u32, versions in versions()) {
        let retry_after = Duration::from_millis(milliseconds.into());
        let reject = Reject { code: RejectCode::from_byte(code), retry_after, versions };
        prop_assert_eq!(Reject::decode(&reject.encode()), Ok(reject));
    }

    #[test]
    fn changed_bytes_decode_differently_or_fail(
        hello in hello(), at: prop::sample::Index, byte: u8,
    ) {
        let bytes = hello.encode();
        let mut changed = bytes.clone();
        changed[at.index(bytes.len())] = byte;
        if let Ok(decoded) = Hello::decode(&changed) {
            prop_assert!(decoded.encode() == changed);
        }
    }
}

#[test]
fn retry_delay_saturates() {
    let reject = Reject { code: RejectCode::Busy, retry_after: Duration::MAX, versions: vec![1] };
    let decoded = Reject::decode(&reject.encode()).unwrap();
    assert_eq!(decoded.retry_after, Duration::from_millis(u32::MAX.into()));
}

#[test]
fn decoder_rejects_other_messages() {
    let proof = Proof { mac: [7; 32] }.encode();
    assert_eq!(Proof::decode(&proof).unwrap().mac, [7; 32]);
    assert_eq!(Hello::decode(&proof), Err(MalformedMessage::Header));
    assert_eq!(Proof::decode(&proof[..34]).unwrap_err(), MalformedMessage::Header);
    assert_eq!(Hello::decode(&[]), Err(MalformedMessage::Header));
}
