//! A scripted peer: an honest handshake, then whatever the test wants to send, byte by byte.
//!
//! Frames are built by hand here, so that a change of their layout does not go unnoticed.

use std::path::Path;
use std::sync::Arc;

use bytes::BytesMut;
use kaa_rpc_runtime::protocol::handshake::message::Hello;
use kaa_rpc_runtime::protocol::handshake::{
    Audience, ClientHandshake, ClientParameters, HandshakeError, InstanceId, Progress, ServerHandshake,
    ServerParameters,
};
use kaa_rpc_runtime::{KeyId, Keys, Limits};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::OnceCell;

use super::{World, secret, server_builder, within};

pub(crate) const CALL: u8 = 1;
pub(crate) const ONEWAY: u8 = 2;
pub(crate) const REPLY: u8 = 3;
pub(crate) const CANCEL: u8 = 4;
pub(crate) const ONEWAY_CREDIT: u8 = 8;
pub(crate) const PING: u8 = 10;
pub(crate) const PONG: u8 = 11;
pub(crate) const GOODBYE: u8 = 12;

pub(crate) const OK: u32 = 0;
pub(crate) const FAULTY: u32 = 2;
pub(crate) const BAD_REQUEST: u32 = 4;
pub(crate) const EXHAUSTED: u32 = 5;
pub(crate) const DEADLINE_EXCEEDED: u32 = 6;
pub(crate) const CANCELLED: u32 = 7;
pub(crate) const REFUSED: u32 = 9;

/// Reasons of a Goodbye.
pub(crate) const CALM: u32 = 4;
pub(crate) const FRAME_TOO_LARGE: u32 = 5;

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// The peer.
pub(crate) struct Raw {
    io: Box<dyn Io>,
    input: BytesMut,
}

/// A frame as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Received {
    pub(crate) kind: u8,
    pub(crate) id: u64,
    pub(crate) token: u32,
    pub(crate) detail: u32,
    pub(crate) payload: Vec<u8>,
}

impl Received {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// A frame: length, kind, flags, offset of the payload, id, token, detail, options, payload; little-endian.
pub(crate) fn frame_with(
    kind: u8,
    (id, token, detail): (u64, u32, u32),
    (flags, options): (u8, &[u8]),
    payload: &[u8],
) -> Vec<u8> {
    let offset = 24 + options.len();
    let mut bytes = u32::try_from(offset + payload.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(u16::try_from(offset).unwrap().to_le_bytes());
    bytes.extend(id.to_le_bytes());
    bytes.extend(token.to_le_bytes());
    bytes.extend(detail.to_le_bytes());
    bytes.extend(options);
    bytes.extend(payload);
    bytes
}

pub(crate) fn frame(kind: u8, id: u64, token: u32, detail: u32, payload: &[u8]) -> Vec<u8> {
    frame_with(kind, (id, token, detail), (0, b""), payload)
}

/// A call with a text for its argument.
pub(crate) fn call(id: u64, method: u32, argument: &str) -> Vec<u8> {
    frame(CALL, id, 7, method, &text(argument))
}

/// The same with so many microseconds left.
pub(crate) fn call_within(id: u64, method: u32, argument: &str, microseconds: u64) -> Vec<u8> {
    frame_with(CALL, (id, 7, method), (1, &microseconds.to_le_bytes()), &text(argument))
}

/// The same for a call of the receiver's.
pub(crate) fn nested_call(id: u64, method: u32, argument: &str, parent: (u64, u32), depth: u32) -> Vec<u8> {
    nested(CALL, id, method, argument, parent, depth)
}

pub(crate) fn nested(
    kind: u8,
    id: u64,
    method: u32,
    argument: &str,
    parent: (u64, u32),
    depth: u32,
) -> Vec<u8> {
    let mut options = parent.0.to_le_bytes().to_vec();
    options.extend(parent.1.to_le_bytes());
    options.extend(depth.to_le_bytes());
    frame_with(kind, (id, 7, method), (2, &options), &text(argument))
}

/// A call with metadata.
pub(crate) fn call_with_metadata(id: u64, method: u32, argument: &str, metadata: &[u8]) -> Vec<u8> {
    let length = u32::try_from(metadata.len()).unwrap().to_le_bytes();
    frame_with(CALL, (id, 7, method), (4, &[&length, metadata].concat()), &text(argument))
}

pub(crate) fn cancel(id: u64) -> Vec<u8> {
    frame(CANCEL, id, 7, 0, b"")
}

/// Goodbye, no more calls are taken.
pub(crate) fn goodbye() -> Vec<u8> {
    frame(GOODBYE, 0, 0, 0, b"")
}

/// Goodbye, this is the last call that is answered.
pub(crate) fn last_goodbye(last: u64) -> Vec<u8> {
    frame(GOODBYE, last, 1, 0, b"")
}

/// A text on the wire: its length as a varint, its bytes.
pub(crate) fn text(text: &str) -> Vec<u8> {
    let mut bytes = match text.len() {
        short @ 0..=250 => vec![u8::try_from(short).unwrap()],
        long => [&[252], &u32::try_from(long).unwrap().to_le_bytes()[..]].concat(),
    };
    bytes.extend(text.as_bytes());
    bytes
}

/// The fingerprint of the test service, as a server tells it.
async fn schema() -> [u8; 32] {
    static SCHEMA: OnceCell<[u8; 32]> = OnceCell::const_new();
    *SCHEMA
        .get_or_init(|| async {
            let server = server_builder(&World::new()).start().unwrap();
            let (near, far) = tokio::io::duplex(4096);
            server.accept(kaa_rpc_runtime::transport::Stream::from_io(far, "probe"));
            let mut near: Box<dyn Io> = Box::new(near);
            let mut handshake = client_handshake(Limits::default(), [0; 32]);
            let (mut input, mut established) = (BytesMut::new(), None);
            while established.is_none() {
                established =
                    step(&mut near, &mut input, handshake.output(), |input| handshake.handle_input(input))
                        .await;
            }
            established.unwrap()
        })
        .await
}

/// Writes, reads, lets the state machine see; the peer's schema when it is done.
async fn step(
    io: &mut Box<dyn Io>,
    input: &mut BytesMut,
    output: bytes::Bytes,
    handle: impl FnOnce(&mut BytesMut) -> Result<Progress, HandshakeError>,
) -> Option<[u8; 32]> {
    io.write_all(&output).await.unwrap();
    if input.is_empty() {
        assert_ne!(within(io.read_buf(input)).await.unwrap(), 0, "the peer closed amid the handshake");
    }
    match handle(input).unwrap() {
        Progress::Done(established) => Some(established.peer_schema),
        Progress::NeedMore => {
            if !input.is_empty() {
                // A part of a message: there is more to come.
                assert_ne!(
                    within(io.read_buf(input)).await.unwrap(),
                    0,
                    "the peer closed amid the handshake"
                );
            }
            None
        }
    }
}

fn client_handshake(limits: Limits, schema: [u8; 32]) -> ClientHandshake {
    ClientHandshake::new(ClientParameters {
        nonce: [1; 32],
        instance: InstanceId::new([2; 16]),
        key_id: KeyId::default(),
        secret: secret(),
        audience: Audience::default(),
        binding: None,
        limits,
        schema,
    })
}

impl Raw {
    /// A client of the server at this path.
    pub(crate) async fn connect(path: &Path) -> Self {
        Self::connect_with(path, Limits::default()).await
    }

    /// The same with limits of its own.
    pub(crate) async fn connect_with(path: &Path, limits: Limits) -> Self {
        Self::connect_as(path, client_handshake(limits, schema().await)).await
    }

    /// The same, whose schemas have this fingerprint.
    pub(crate) async fn connect_knowing(path: &Path, schema: [u8; 32]) -> Self {
        Self::connect_as(path, client_handshake(Limits::default(), schema)).await
    }

    async fn connect_as(path: &Path, mut handshake: ClientHandshake) -> Self {
        let mut io: Box<dyn Io> = Box::new(UnixStream::connect(path).await.unwrap());
        let mut input = BytesMut::new();
        while step(&mut io, &mut input, handshake.output(), |input| handshake.handle_input(input))
            .await
            .is_none()
        {}
        Self { io, input }
    }

    /// A server for the next client.
    pub(crate) async fn accept(listener: &UnixListener) -> Self {
        Self::accept_with(listener, Limits::default()).await
    }

    /// The same with limits of its own.
    pub(crate) async fn accept_with(listener: &UnixListener, limits: Limits) -> Self {
        let (stream, _) = within(listener.accept()).await.unwrap();
        Self::serve(stream, limits).await
    }

    /// A server on a connection that is there.
    pub(crate) async fn serve(
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        limits: Limits,
    ) -> Self {
        // The same schema as the client's, so that there is nothing to compare.
        Self::serve_as(io, limits, |theirs| theirs).await
    }

    /// The same with a schema of its own.
    pub(crate) async fn serve_with_schema(
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        schema: [u8; 32],
    ) -> Self {
        Self::serve_as(io, Limits::default(), |_| schema).await
    }

    async fn serve_as(
        io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        limits: Limits,
        schema: impl FnOnce([u8; 32]) -> [u8; 32],
    ) -> Self {
        let mut io: Box<dyn Io> = Box::new(io);
        let mut input = BytesMut::new();
        let hello = loop {
            within(io.read_buf(&mut input)).await.unwrap();
            if let Some((length, rest)) = input.split_first_chunk::<2>()
                && rest.len() >= usize::from(u16::from_be_bytes(*length))
            {
                break Hello::decode(&input).unwrap();
            }
        };
        let mut handshake = ServerHandshake::new(ServerParameters {
            nonce: [3; 32],
            decoy: secret(),
            instance: InstanceId::new([4; 16]),
            keys: Arc::new(Keys::from(secret())),
            audience: Audience::default(),
            binding: None,
            limits,
            schema: schema(hello.schema),
        });
        while step(&mut io, &mut input, handshake.output(), |input| handshake.handle_input(input))
            .await
            .is_none()
        {}
        io.write_all(&handshake.output()).await.unwrap();
        Self { io, input }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.io.write_all(bytes.as_ref())).await.unwrap();
    }

    /// The same where the peer may have gone already.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        within(self.io.write_all(bytes.as_ref())).await
    }

    /// Closes the sending half.
    pub(crate) async fn end(&mut self) {
        self.io.shutdown().await.unwrap();
    }

    /// The same where the peer may have gone already.
    pub(crate) async fn try_end(&mut self) -> std::io::Result<()> {
        self.io.shutdown().await
    }

    /// The next frame; `None` at the end of the stream, however it came.
    pub(crate) async fn receive(&mut self) -> Option<Received> {
        loop {
            if let Some(length) = self.input.first_chunk::<4>() {
                let length = usize::try_from(u32::from_le_bytes(*length)).unwrap();
                if self.input.len() >= length {
                    let bytes = self.input.split_to(length);
                    let offset = usize::from(u16::from_le_bytes([bytes[6], bytes[7]]));
                    return Some(Received {
                        kind: bytes[4],
                        id: u64::from_le_bytes(bytes[8..16].try_into().unwrap()),
                        token: u32::from_le_bytes(bytes[16..20].try_into().unwrap()),
                        detail: u32::from_le_bytes(bytes[20..24].try_into().unwrap()),
                        payload: bytes[offset..].to_vec(),
                    });
                }
            }
            match within(self.io.read_buf(&mut self.input)).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next frame of this kind; others are passed over.
    pub(crate) async fn next(&mut self, kind: u8) -> Received {
        loop {
            let received = self.receive().await.expect("the peer has closed");
            if received.kind == kind {
                return received;
            }
        }
    }

    /// Whether a frame, or a part of one, has been read and not received.
    pub(crate) fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Reads at most so many bytes and forgets them.
    pub(crate) async fn take(&mut self, most: usize) -> usize {
        let mut bytes = vec![0; most];
        within(self.io.read(&mut bytes)).await.unwrap_or(0)
    }

    /// All bytes up to the end of the stream, however it came.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while let Ok(1..) = within(self.io.read_buf(&mut self.input)).await {}
        self.input.split().to_vec()
    }

    /// Answers a call with a text.
    pub(crate) async fn reply(&mut self, call: &Received, answer: &str) {
        self.send(frame(REPLY, call.id, call.token, OK, &text(answer))).await;
    }

    /// The peer's last word, behind which it closes.
    pub(crate) async fn last_word(&mut self) -> String {
        let mut last = None;
        while let Some(received) = self.receive().await {
            if received.kind == GOODBYE {
                last = Some(received.text());
            }
        }
        last.expect("the peer has closed without a word")
    }
}
