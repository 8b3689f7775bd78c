//! Byte streams over stdin and stdout: those of this process, and those of a child process (clause 1.8).
//!
//! Invariants:
//! - Stdin and stdout of this process are taken once, both or neither. Then descriptor 1 is stderr and
//!   descriptor 0 is empty, so that the program's output does not reach the peer and the program does not
//!   read the peer's data.
//! - This process keeps no copy of a child's end, so the stream ends when the child exits.

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
#[cfg(feature = "process")]
use tokio::process::{Child, Command};

use super::error::TransportError;
use super::stream::{Credentials, PeerAddress, Stream};

/// The minimum number of a duplicated descriptor, after stdin, stdout and stderr.
const MIN_DUPLICATE: i32 = 3;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes stdin and stdout of this process.
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

/// The type of a descriptor that can carry the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Pipe,
    Socket,
}

impl Carrier {
    /// The type of this descriptor.
    ///
    /// # Errors
    /// The descriptor cannot carry the protocol, so the program was not started by a host.
    fn of(stream: &'static str, descriptor: BorrowedFd<'_>) -> Result<Self, TransportError> {
        let status =
            rustix::fs::fstat(descriptor).map_err(|errno| TransportError::Stdio { source: errno.into() })?;
        let what = match FileType::from_raw_mode(status.st_mode) {
            FileType::Fifo => return Ok(Self::Pipe),
            FileType::Socket if is_unix_stream(descriptor) => return Ok(Self::Socket),
            FileType::Socket => "a socket, but not a unix stream socket",
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
    Ok(rustix::io::fcntl_dupfd_cloexec(descriptor, MIN_DUPLICATE)?)
}

fn unix_stream(descriptor: OwnedFd) -> io::Result<UnixStream> {
    let stream = StdUnixStream::from(descriptor);
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// One socket for both directions, as a kaa-rpc host provides it.
fn one_socket(descriptor: OwnedFd) -> io::Result<Stream> {
    let stream = unix_stream(descriptor)?;
    let credentials = Credentials::of(&stream);
    Ok(Stream::over_unix(stream, PeerAddress::Stdio, credentials))
}

/// A stream of two unidirectional descriptors. Dropping the writer closes its direction.
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

/// Starts a program with one end of a unix socket pair as its stdin and stdout. Returns a stream on the other
/// end. The child is killed when its handle is dropped.
///
/// `ClientBuilder::connect_process` and `Server::spawn` do this, and also supervise the child.
///
/// # Errors
/// [`TransportError::Spawn`] if the program cannot be started.
#[cfg(feature = "process")]
pub fn spawn(command: &mut Command) -> Result<(Stream, Child), TransportError> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    match try_spawn(command) {
        Ok((stream, child, pid)) => {
            Ok((Stream::over_unix(stream, PeerAddress::Process { program, pid }, None), child))
        }
        Err(source) => Err(TransportError::Spawn { program, source }),
    }
}

#[cfg(feature = "process")]
fn try_spawn(command: &mut Command) -> io::Result<(UnixStream, Child, u32)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let ours = UnixStream::from_std(ours)?;
    let theirs = OwnedFd::from(theirs);
    command.stdin(theirs.try_clone()?).stdout(theirs).kill_on_drop(true);
    let child = command.spawn();
    // The command keeps its descriptors open until they are replaced.
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
    let child = child?;
    let pid = child.id().ok_or(io::ErrorKind::NotFound)?;
    Ok((ours, child, pid))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn closed_half_ends_for_peer_and_other_half_continues() {
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
