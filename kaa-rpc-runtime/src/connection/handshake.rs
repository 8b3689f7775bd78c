//! Drives a handshake over a stream.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::time::Instant;

use super::reader::FrameReader;
use crate::protocol::handshake::{ClientHandshake, Established, HandshakeError, Progress, ServerHandshake};
use crate::transport::Stream;

/// The handshake of either side.
pub(crate) trait Handshake {
    fn output(&mut self) -> Bytes;
    fn handle_input(&mut self, input: &mut BytesMut) -> Result<Progress, HandshakeError>;
}

impl Handshake for ClientHandshake {
    fn output(&mut self) -> Bytes {
        Self::output(self)
    }

    fn handle_input(&mut self, input: &mut BytesMut) -> Result<Progress, HandshakeError> {
        Self::handle_input(self, input)
    }
}

impl Handshake for ServerHandshake {
    fn output(&mut self) -> Bytes {
        Self::output(self)
    }

    fn handle_input(&mut self, input: &mut BytesMut) -> Result<Progress, HandshakeError> {
        Self::handle_input(self, input)
    }
}

/// Why a handshake failed.
#[derive(Debug)]
pub(crate) enum HandshakeFailure {
    Protocol(HandshakeError),
    Io(io::Error),
    /// The peer's first message did not arrive within this time.
    TooSlow(Duration),
}

impl From<io::Error> for HandshakeFailure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Performs a handshake. Bytes after its last message stay in the reader. `first_within` limits the wait for
/// the peer's first message, on the side that waits for it.
pub(crate) async fn drive_handshake(
    handshake: &mut (impl Handshake + Send),
    stream: &Arc<Stream>,
    reader: &mut FrameReader,
    first_within: Option<Duration>,
) -> Result<Established, HandshakeFailure> {
    // A time beyond the range of `Instant` is no limit.
    let mut first = first_within.and_then(|time| Some((time, Instant::now().checked_add(time)?)));
    loop {
        let progress = handshake.handle_input(reader.buffer());
        let output = handshake.output();
        if !output.is_empty() {
            first = None;
        }
        write_all(stream, output).await?;
        match progress {
            Ok(Progress::Done(established)) => return Ok(established),
            Ok(Progress::NeedMore) => {}
            Err(error) => {
                // The peer still has to read the rejection, which a socket that closes at once could discard.
                let _ignored = stream.shutdown_write();
                return Err(HandshakeFailure::Protocol(error));
            }
        }
        let read = poll_fn(|context| reader.poll_fill(context));
        let count = match first {
            None => read.await?,
            Some((time, until)) => {
                let result = tokio::time::timeout_at(until, read).await;
                result.map_err(|_elapsed| HandshakeFailure::TooSlow(time))??
            }
        };
        if count == 0 {
            return Err(HandshakeFailure::Io(io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

async fn write_all(stream: &Stream, mut bytes: Bytes) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write_vectored(&[IoSlice::new(&bytes)]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes.advance(written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll_fn(|context| stream.poll_write_ready(context)).await?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    while let Err(error) = stream.try_flush() {
        if error.kind() != io::ErrorKind::WouldBlock {
            return Err(error);
        }
        poll_fn(|context| stream.poll_write_ready(context)).await?;
    }
    Ok(())
}
