//! The process's own stdin and stdout as a byte stream, for a program that its host starts (clause 1.8).
//!
//! Invariants: they are taken once, and whole or not at all; from then on descriptor 1 is stderr and descriptor 0 is
//! empty, so that nothing the program prints reaches the peer, and nothing it reads is the peer's.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::net::{AddressFamily, SocketType, sockopt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixStream, unix::pipe};

use super::error::TransportError;
use super::stream::{Credentials, PeerAddress, Stream};

/// Duplicates are numbered beyond what stdin, stdout and stderr are.
const FIRST_DUPLICATE: i32 = 3;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes stdin and stdout.
pub(crate) fn take() -> Result<Stream, TransportError> {
    if TAKEN.load(Ordering::Relaxed) {
        return Err(TransportError::StdioTaken);
    }
    let error = |source| TransportError::Stdio { source };
    let (stdin, stdout) = (rustix::stdio::stdin(), rustix::stdio::stdout());
    let input = Carrier::of("stdin", stdin)?;
    let output = Carrier::of("stdout", stdout)?;
    let is_one_socket =
        input == Carrier::Socket && output == Carrier::Socket && is_same(stdin, stdout).map_err(error)?;
    let nothing = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| error(errno.into()))?;
    let reading = duplicate(stdin).map_err(error)?;
    let writing = duplicate(stdout).map_err(error)?;
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err(TransportError::StdioTaken);
    }
    let redirected = || {
        rustix::stdio::dup2_stdout(rustix::stdio::stderr())?;
        rustix::stdio::dup2_stdin(&nothing)
    };
    redirected().map_err(|errno| error(errno.into()))?;
    if is_one_socket {
        one_socket(reading).map_err(error)
    } else {
        let halves = Halves {
            reader: input.reader(reading).map_err(error)?,
            writer: output.writer(writing).map(Some).map_err(error)?,
        };
        Ok(Stream::other(halves, PeerAddress::Stdio))
    }
}

/// What a descriptor is that carries the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Pipe,
    Socket,
}

impl Carrier {
    /// What this descriptor is.
    ///
    /// # Errors
    /// It is what a program has that nobody started to talk to.
    fn of(stream: &'static str, descriptor: BorrowedFd<'_>) -> Result<Self, TransportError> {
        let status =
            rustix::fs::fstat(descriptor).map_err(|errno| TransportError::Stdio { source: errno.into() })?;
        let what = match FileType::from_raw_mode(status.st_mode) {
            FileType::Fifo => return Ok(Self::Pipe),
            FileType::Socket if is_unix_stream(descriptor) => return Ok(Self::Socket),
            FileType::Socket => "a socket that is no unix stream socket",
            FileType::CharacterDevice if rustix::termios::isatty(descriptor) => "a terminal",
            FileType::RegularFile => "a file",
            _ => "a device",
        };
        Err(TransportError::NotStartedByHost { stream, what })
    }

    fn reader(self, descriptor: OwnedFd) -> io::Result<Pin<Box<dyn AsyncRead + Send>>> {
        Ok(match self {
            Self::Pipe => Box::pin(pipe::Receiver::from_owned_fd(descriptor)?),
            Self::Socket => Box::pin(unix_stream(descriptor)?),
        })
    }

    fn writer(self, descriptor: OwnedFd) -> io::Result<Pin<Box<dyn AsyncWrite + Send>>> {
        Ok(match self {
            Self::Pipe => Box::pin(pipe::Sender::from_owned_fd(descriptor)?),
            Self::Socket => Box::pin(unix_stream(descriptor)?),
        })
    }
}

fn is_unix_stream(descriptor: BorrowedFd<'_>) -> bool {
    let family = rustix::net::getsockname(descriptor).map(|name| name.address_family());
    family == Ok(AddressFamily::UNIX) && sockopt::socket_type(descriptor) == Ok(SocketType::STREAM)
}

fn is_same(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> io::Result<bool> {
    let (one, other) = (rustix::fs::fstat(one)?, rustix::fs::fstat(other)?);
    Ok(one.st_dev == other.st_dev && one.st_ino == other.st_ino)
}

fn duplicate(descriptor: impl AsFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(descriptor, FIRST_DUPLICATE)?)
}

fn unix_stream(descriptor: OwnedFd) -> io::Result<UnixStream> {
    let stream = StdUnixStream::from(descriptor);
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// Both halves in one, as a host of ours gives it.
fn one_socket(descriptor: OwnedFd) -> io::Result<Stream> {
    let stream = unix_stream(descriptor)?;
    let credentials = Credentials::of(&stream);
    Ok(Stream::over_unix(stream, PeerAddress::Stdio, credentials))
}

/// A stream of two that each go one way. Closing one's half is letting go of it.
struct Halves {
    reader: Pin<Box<dyn AsyncRead + Send>>,
    writer: Option<Pin<Box<dyn AsyncWrite + Send>>>,
}

impl AsyncRead for Halves {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.reader.as_mut().poll_read(context, buffer)
    }
}

impl Halves {
    fn writer(&mut self) -> io::Result<Pin<&mut (dyn AsyncWrite + Send + 'static)>> {
        self.writer.as_mut().map(Pin::as_mut).ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl AsyncWrite for Halves {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writer()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writer()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer = None;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_half_that_is_closed_ends_for_the_peer_and_the_other_goes_on() {
        let (reader, mut their_writer) = tokio::io::duplex(64);
        let (writer, mut their_reader) = tokio::io::duplex(64);
        let mut halves = Halves { reader: Box::pin(reader), writer: Some(Box::pin(writer)) };
        halves.write_all(b"the last").await.unwrap();
        halves.shutdown().await.unwrap();
        let mut read = String::new();
        their_reader.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "the last");
        assert_eq!(halves.write(b"more").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);

        their_writer.write_all(b"still heard").await.unwrap();
        drop(their_writer);
        halves.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "the laststill heard");
    }
}
