//! No bytes, made without the secret, complete the handshake of either side or make it panic.
#![no_main]

use std::sync::Arc;

use bytes::BytesMut;
use kaa_rpc_runtime::protocol::handshake::{
    Audience, ClientHandshake, ClientParameters, InstanceId, Progress, ServerHandshake, ServerParameters,
};
use kaa_rpc_runtime::{KeyId, Keys, Limits, Secret};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let secret = || Secret::new(*b"0123456789abcdef").unwrap();
    let mut client = ClientHandshake::new(ClientParameters {
        nonce: [1; 32],
        instance: InstanceId::new([2; 16]),
        key_id: KeyId::default(),
        secret: secret(),
        audience: Audience::default(),
        binding: None,
        limits: Limits::default(),
        schema: [3; 32],
    });
    let mut server = ServerHandshake::new(ServerParameters {
        nonce: [4; 32],
        decoy: secret(),
        instance: InstanceId::new([5; 16]),
        keys: Arc::new(Keys::new().with(KeyId::default(), secret())),
        audience: Audience::default(),
        binding: None,
        limits: Limits::default(),
        schema: [6; 32],
    });
    let _hello = client.output();
    let at_client = client.handle_input(&mut BytesMut::from(data));
    let at_server = server.handle_input(&mut BytesMut::from(data));
    assert!(!matches!(at_client, Ok(Progress::Done(_))));
    assert!(!matches!(at_server, Ok(Progress::Done(_))));
});
