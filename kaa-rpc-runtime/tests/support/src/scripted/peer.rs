//! The scripted peer: an honest handshake as client or server, then frames.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use kaa_rpc_runtime::protocol::handshake::message::Hello;
use kaa_rpc_runtime::protocol::handshake::{
    Audience, ClientHandshake, ClientParameters, HandshakeError, InstanceId, Progress, ServerHandshake,
    ServerParameters,
};
use kaa_rpc_runtime::{KeyId, Keys, Limits, Server};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::frames::{self, ReceivedFrame, frame, text};
use crate::secret;
use crate::waiting::within;

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub struct ScriptedPeer {
    io: Box<dyn Io>,
    input: BytesMut,
}

/// The parameters of a client that knows the secret.
pub fn client_parameters() -> ClientParameters {
    ClientParameters {
        nonce: [1; 32],
        instance: InstanceId::new([2; 16]),
        key_id: KeyId::default(),
        secret: secret(),
        audience: Audience::default(),
        binding: None,
        limits: Limits::default(),
        schema: [0; 32],
    }
}

/// The parameters of a server that knows the secret.
pub fn server_parameters() -> ServerParameters {
    ServerParameters {
        nonce: [3; 32],
        decoy: secret(),
        instance: InstanceId::new([4; 16]),
        keys: Arc::new(Keys::from(secret())),
        audience: Audience::default(),
        binding: None,
        limits: Limits::default(),
        schema: [0; 32],
    }
}

/// The next whole handshake message, from the first byte of its length.
pub async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut message = vec![0; 2];
    within("the length of a handshake message", stream.read_exact(&mut message)).await.unwrap();
    message.resize(2 + usize::from(u16::from_be_bytes([message[0], message[1]])), 0);
    within("the rest of a handshake message", stream.read_exact(&mut message[2..])).await.unwrap();
    message
}

/// Reads what comes next into the buffer.
///
/// # Panics
/// If the peer has closed the connection.
async fn read_some(io: &mut Box<dyn Io>, input: &mut BytesMut) {
    let count = within("a handshake message", io.read_buf(input)).await.unwrap();
    assert_ne!(count, 0, "the peer closed the connection during the handshake");
}

/// Sends the output of a handshake and handles what the peer answers. The peer's schema when the handshake is
/// done.
async fn step(
    io: &mut Box<dyn Io>,
    input: &mut BytesMut,
    output: Bytes,
    handle: impl FnOnce(&mut BytesMut) -> Result<Progress, HandshakeError>,
) -> Option<[u8; 32]> {
    within("the peer to take a handshake message", io.write_all(&output)).await.unwrap();
    if input.is_empty() {
        read_some(io, input).await;
    }
    match handle(input).unwrap() {
        Progress::Done(established) => Some(established.peer_schema),
        Progress::NeedMore => {
            // A part of a message is left in the input.
            if !input.is_empty() {
                read_some(io, input).await;
            }
            None
        }
    }
}

/// Completes the handshake of a client. Returns the server's schema.
async fn shake(io: &mut Box<dyn Io>, input: &mut BytesMut, mut handshake: ClientHandshake) -> [u8; 32] {
    loop {
        let output = handshake.output();
        if let Some(schema) = step(io, input, output, |input| handshake.handle_input(input)).await {
            return schema;
        }
    }
}

/// The fingerprint of a server's services, which it sends in its handshake.
pub(crate) async fn fingerprint(server: Server) -> [u8; 32] {
    let (near, far) = tokio::io::duplex(4096);
    server.accept(kaa_rpc_runtime::transport::Stream::from_io(far, "fingerprint"));
    shake(&mut (Box::new(near) as _), &mut BytesMut::new(), ClientHandshake::new(client_parameters())).await
}

impl ScriptedPeer {
    /// A client of the server at this path, with these limits, and a schema with this fingerprint.
    pub async fn connect(path: &Path, limits: Limits, schema: [u8; 32]) -> Self {
        let stream = within("the server to accept", UnixStream::connect(path)).await.unwrap();
        Self::connect_over(stream, limits, schema).await
    }

    /// The same over a stream.
    pub async fn connect_over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        limits: Limits,
        schema: [u8; 32],
    ) -> Self {
        let (mut io, mut input): (Box<dyn Io>, _) = (Box::new(stream), BytesMut::new());
        let handshake = ClientHandshake::new(ClientParameters { limits, schema, ..client_parameters() });
        shake(&mut io, &mut input, handshake).await;
        Self { io, input }
    }

    /// A server of the next client that connects.
    pub async fn accept(listener: &UnixListener) -> Self {
        Self::accept_with(listener, Limits::default()).await
    }

    /// The same with other limits.
    pub async fn accept_with(listener: &UnixListener, limits: Limits) -> Self {
        let (stream, _) = within("a client to connect", listener.accept()).await.unwrap();
        // The same schema as the client's, so that no schemas are compared.
        Self::serve(stream, limits, |clients| clients).await
    }

    /// A server of the next client that connects, whose schema has this fingerprint.
    pub async fn accept_with_schema(listener: &UnixListener, schema: [u8; 32]) -> Self {
        let (stream, _) = within("a client to connect", listener.accept()).await.unwrap();
        Self::serve(stream, Limits::default(), |_| schema).await
    }

    async fn serve(stream: UnixStream, limits: Limits, schema: impl FnOnce([u8; 32]) -> [u8; 32]) -> Self {
        let (mut io, mut input): (Box<dyn Io>, _) = (Box::new(stream), BytesMut::new());
        let hello = loop {
            read_some(&mut io, &mut input).await;
            if let Some((length, rest)) = input.split_first_chunk::<2>()
                && rest.len() >= usize::from(u16::from_be_bytes(*length))
            {
                break Hello::decode(&input).unwrap();
            }
        };
        let schema = schema(hello.schema);
        let mut handshake = ServerHandshake::new(ServerParameters { limits, schema, ..server_parameters() });
        loop {
            let output = handshake.output();
            if step(&mut io, &mut input, output, |input| handshake.handle_input(input)).await.is_some() {
                break;
            }
        }
        within("the client to take ACCEPT", io.write_all(&handshake.output())).await.unwrap();
        Self { io, input }
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).await.unwrap();
    }

    /// The same where the peer may have closed the connection.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        within("the peer to take bytes", self.io.write_all(bytes.as_ref())).await
    }

    /// Closes the sending half.
    pub async fn close_write(&mut self) {
        self.try_close_write().await.unwrap();
    }

    /// The same where the peer may have closed the connection.
    pub async fn try_close_write(&mut self) -> io::Result<()> {
        within("the sending half to close", self.io.shutdown()).await
    }

    /// The next frame. `None` at the end of the stream, also if that is an error.
    pub async fn receive(&mut self) -> Option<ReceivedFrame> {
        loop {
            if let Some(length) = self.input.first_chunk::<4>() {
                let length = usize::try_from(u32::from_le_bytes(*length)).unwrap();
                if self.input.len() >= length {
                    let bytes = self.input.split_to(length);
                    let offset = usize::from(u16::from_le_bytes([bytes[6], bytes[7]]));
                    return Some(ReceivedFrame {
                        kind: bytes[4],
                        id: u64::from_le_bytes(bytes[8..16].try_into().unwrap()),
                        token: u32::from_le_bytes(bytes[16..20].try_into().unwrap()),
                        detail: u32::from_le_bytes(bytes[20..24].try_into().unwrap()),
                        payload: bytes[offset..].to_vec(),
                    });
                }
            }
            match within("a frame, or the end of the connection", self.io.read_buf(&mut self.input)).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next frame of this kind. Frames of other kinds are skipped.
    pub async fn next(&mut self, kind: u8) -> ReceivedFrame {
        loop {
            match self.receive().await {
                Some(received) if received.kind == kind => return received,
                Some(_) => {}
                None => panic!("expected a frame of kind {kind}, but the peer closed the connection"),
            }
        }
    }

    /// Whether bytes were read that belong to a frame which was not returned yet.
    pub fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Reads and discards at most `count` bytes. Returns how many; 0 at the end of the stream.
    pub async fn discard(&mut self, count: usize) -> usize {
        let mut bytes = vec![0; count];
        within("bytes of the peer", self.io.read(&mut bytes)).await.unwrap_or(0)
    }

    /// All bytes up to the end of the stream, also if that is an error.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        while let Ok(1..) = within("the end of the connection", self.io.read_buf(&mut self.input)).await {}
        self.input.split().to_vec()
    }

    /// Answers a call with a text.
    pub async fn reply(&mut self, call: &ReceivedFrame, answer: &str) {
        self.send(frame(frames::REPLY, call.id, call.token, frames::OK, &text(answer))).await;
    }

    /// Reads to the end of the connection. The message of the last Goodbye before it.
    pub async fn closing_message(&mut self) -> String {
        let mut message = None;
        while let Some(received) = self.receive().await {
            if received.kind == frames::GOODBYE {
                message = Some(received.text());
            }
        }
        message.expect("the peer closed the connection without a Goodbye")
    }
}
