//! A client and a server with known parameters, and a wire between them on which messages may be changed.

use std::sync::Arc;

use bytes::BytesMut;
use kaa_rpc_runtime::protocol::handshake::message::MessageType;
use kaa_rpc_runtime::protocol::handshake::{
    Audience, ClientHandshake, ClientParameters, Established, HandshakeError, InstanceId, Progress,
    ServerHandshake, ServerParameters,
};
use kaa_rpc_runtime::protocol::limits::Limits;
use kaa_rpc_runtime::secret::{KeyId, Keys, Secret};

pub(crate) const SECRET: &[u8] = b"correct horse battery staple";

pub(crate) fn secret() -> Secret {
    Secret::new(SECRET).unwrap()
}

pub(crate) fn client() -> ClientParameters {
    ClientParameters {
        nonce: [1; 32],
        instance: InstanceId::new([2; 16]),
        key_id: KeyId::new("summer").unwrap(),
        secret: secret(),
        audience: Audience::new("epg").unwrap(),
        binding: None,
        limits: Limits { max_frame: 65536, max_inbound_calls: 7, oneway_window: 9, stream_window: 11 },
        schema: [3; 32],
    }
}

pub(crate) fn server() -> ServerParameters {
    ServerParameters {
        nonce: [4; 32],
        decoy: Secret::new([5; 32]).unwrap(),
        instance: InstanceId::new([6; 16]),
        keys: Arc::new(Keys::new().with(KeyId::new("summer").unwrap(), secret())),
        audience: Audience::new("epg").unwrap(),
        binding: None,
        limits: Limits::default(),
        schema: [7; 32],
    }
}

/// The state of a handshake at one end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    Done(Established),
    Failed(HandshakeError),
    /// Waits for a message.
    Waiting,
}

impl End {
    pub(crate) fn of(result: Result<Progress, HandshakeError>) -> Self {
        match result {
            Ok(Progress::Done(established)) => Self::Done(established),
            Ok(Progress::NeedMore) => Self::Waiting,
            Err(error) => Self::Failed(error),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    pub(crate) fn error(self) -> HandshakeError {
        match self {
            Self::Failed(error) => error,
            other => panic!("expected a failed handshake, but got {other:?}"),
        }
    }

    pub(crate) fn established(self) -> Established {
        match self {
            Self::Done(established) => established,
            other => panic!("expected an established session, but got {other:?}"),
        }
    }
}

/// Runs both ends until neither sends anything more. Every message passes through `tamper`.
pub(crate) fn run(
    client: ClientParameters,
    server: ServerParameters,
    mut tamper: impl FnMut(MessageType, &mut Vec<u8>),
) -> (End, End) {
    let mut client = ClientHandshake::new(client);
    let mut server = ServerHandshake::new(server);
    let (mut to_client, mut to_server) = (BytesMut::new(), BytesMut::new());
    let (mut client_end, mut server_end) = (End::Waiting, End::Waiting);
    loop {
        let from_client = client.output();
        let from_server = server.output();
        if from_client.is_empty() && from_server.is_empty() {
            return (client_end, server_end);
        }
        for (bytes, input) in [(from_client, &mut to_server), (from_server, &mut to_client)] {
            if let Some(&type_byte) = bytes.get(2) {
                let mut message = bytes.to_vec();
                tamper(MessageType::from_byte(type_byte).unwrap(), &mut message);
                input.extend_from_slice(&message);
            }
        }
        if server_end == End::Waiting {
            server_end = End::of(server.handle_input(&mut to_server));
        }
        if client_end == End::Waiting {
            client_end = End::of(client.handle_input(&mut to_client));
        }
    }
}

pub(crate) fn untouched(_: MessageType, _: &mut Vec<u8>) {}

/// The four messages of a handshake without attack.
pub(crate) struct Recording {
    pub(crate) hello: Vec<u8>,
    pub(crate) challenge: Vec<u8>,
    pub(crate) proof: Vec<u8>,
    pub(crate) accept: Vec<u8>,
}

pub(crate) fn record(client: ClientParameters, server: ServerParameters) -> Recording {
    let mut messages = Vec::new();
    let (client_end, server_end) = run(client, server, |_, message| messages.push(message.clone()));
    assert!(client_end.is_done(), "{client_end:?}");
    assert!(server_end.is_done(), "{server_end:?}");
    let [hello, challenge, proof, accept] = messages.try_into().unwrap();
    Recording { hello, challenge, proof, accept }
}

pub(crate) fn input(bytes: &[u8]) -> BytesMut {
    BytesMut::from(bytes)
}
