//! Drives a handshake over a stream: bytes in, bytes out, within a time.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::time::Instant;

use super::reader::FrameReader;
use crate::protocol::handshake::{ClientHandshake, Established, HandshakeError, Progress, ServerHandshake};
use crate::transport::Stream;

/// Either side's state machine.
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

/// Why a handshake ended without a session.
#[derive(Debug)]
pub(crate) enum HandshakeFailure {
    Protocol(HandshakeError),
    Io(io::Error),
    /// The other side's first message did not come within this time.
    TooSlow(Duration),
}

impl From<io::Error> for HandshakeFailure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Goes through a handshake. What was read beyond it stays in the reader. `first_within` bounds the wait for the other
/// side's first message, where that is what this side waits for.
pub(crate) async fn drive_handshake(
    handshake: &mut (impl Handshake + Send),
    stream: &Arc<Stream>,
    reader: &mut FrameReader,
    first_within: Option<Duration>,
) -> Result<Established, HandshakeFailure> {
    // A time too far to be written as an instant is none.
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
                // The other side still has a word to read; a socket closed at once could take it back.
                let _ignored = stream.shutdown_write();
                return Err(HandshakeFailure::Protocol(error));
            }
        }
        let read = poll_fn(|context| reader.poll_fill(context));
        let count = match first {
            None => read.await?,
            Some((time, until)) => {
                let timely = tokio::time::timeout_at(until, read).await;
                timely.map_err(|_elapsed| HandshakeFailure::TooSlow(time))??
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
