//! Connected byte streams of all kinds.
//!
//! Invariants: all methods take `&self`, so a reader and a writer can share a stream without a lock. Reads
//! and writes are synchronous attempts; only readiness is awaited. At most one task waits to read and one to
//! write.

use std::fmt;
use std::io::{self, IoSlice, Read};
use std::net::{Shutdown, SocketAddr};
use std::task::{Context, Poll};

use bytes::BytesMut;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, Interest};
use tokio::net::{TcpStream, UnixStream};

use super::address::Address;
use super::readiness::Emulated;
use crate::protocol::handshake::ChannelBinding;

/// A connected byte stream.
#[derive(Debug)]
pub struct Stream {
    channel: Channel,
    peer: PeerAddress,
    credentials: Option<Credentials>,
    binding: Option<ChannelBinding>,
}

#[derive(Debug)]
enum Channel {
    Unix(UnixStream),
    Tcp(TcpStream),
    Other(Emulated),
}

/// The address of a peer, as far as it is known; for logs and limits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerAddress {
    /// A unix socket. On both ends this is the server's address: a client's socket has no name.
    Unix(Address),
    /// A TCP address.
    Tcp(SocketAddr),
    /// A TCP address, over TLS.
    Tls(SocketAddr),
    /// The program that started this process, over stdin and stdout.
    Stdio,
    /// A child process of this process, over its stdin and stdout.
    Process {
        /// The program as it was named when it was started.
        program: String,
        /// The process id. After the child has exited, the operating system may assign the number to another
        /// process.
        pid: u32,
    },
    /// A stream in memory, in this process.
    Memory,
    /// A stream from [`Stream::from_io`], with the name that it was given.
    Other(String),
}

/// The process at the other end of a unix socket, as reported by the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Credentials {
    /// The effective user id at the time when it connected or began to listen.
    pub uid: u32,
    /// The effective group id at that time.
    pub gid: u32,
    /// The process id, if the operating system reports it.
    pub pid: Option<i32>,
}

impl Credentials {
    pub(super) fn of(stream: &UnixStream) -> Option<Self> {
        let credentials = stream.peer_cred().ok()?;
        Some(Self { uid: credentials.uid(), gid: credentials.gid(), pid: credentials.pid() })
    }
}

impl Stream {
    /// Creates a stream from anything that reads and writes. The name appears in logs.
    pub fn from_io(io: impl AsyncRead + AsyncWrite + Send + 'static, name: impl Into<String>) -> Self {
        Self::other(io, PeerAddress::Other(name.into()))
    }

    pub(super) fn other(io: impl AsyncRead + AsyncWrite + Send + 'static, peer: PeerAddress) -> Self {
        Self { channel: Channel::Other(Emulated::new(io)), peer, credentials: None, binding: None }
    }

    /// A secure channel with its binding.
    #[cfg(feature = "_tls")]
    pub(super) fn bound(
        io: impl AsyncRead + AsyncWrite + Send + 'static,
        peer: PeerAddress,
        binding: ChannelBinding,
    ) -> Self {
        Self { binding: Some(binding), ..Self::other(io, peer) }
    }

    pub(super) fn unix(stream: UnixStream, socket: Address) -> Self {
        let credentials = Credentials::of(&stream);
        Self::over_unix(stream, PeerAddress::Unix(socket), credentials)
    }

    pub(super) fn over_unix(stream: UnixStream, peer: PeerAddress, credentials: Option<Credentials>) -> Self {
        Self { channel: Channel::Unix(stream), peer, credentials, binding: None }
    }

    pub(super) fn tcp(stream: TcpStream, peer: SocketAddr) -> Self {
        Self { channel: Channel::Tcp(stream), peer: PeerAddress::Tcp(peer), credentials: None, binding: None }
    }

    /// Waits until [`Self::try_read`] can succeed.
    ///
    /// # Errors
    /// The stream is broken.
    #[inline]
    pub fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.channel {
            Channel::Unix(stream) => stream.poll_read_ready(context),
            Channel::Tcp(stream) => stream.poll_read_ready(context),
            Channel::Other(stream) => stream.poll_read_ready(context),
        }
    }

    /// Reads available bytes into the spare capacity of the buffer. If there is none, the buffer grows a
    /// little. Returns the number of bytes; 0 is the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock` if no bytes are available; the buffer is then unchanged.
    #[inline]
    pub fn try_read(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        match &self.channel {
            Channel::Unix(stream) => stream.try_read_buf(buffer),
            Channel::Tcp(stream) => stream.try_read_buf(buffer),
            Channel::Other(stream) => stream.try_read(buffer),
        }
    }

    /// Like [`Self::try_read`], into a slice. A read that does not fill the slice has emptied the socket. The
    /// next wait is then for new bytes, without a further attempt that would only fail.
    ///
    /// # Errors
    /// `WouldBlock` if no bytes are available.
    #[inline]
    pub fn try_read_all(&self, space: &mut [u8]) -> io::Result<usize> {
        let mut short = None;
        // On `WouldBlock` tokio clears the readiness that it saw before the read, but no later one.
        let mut read = |socket: SockRef<'_>| {
            let count = (&*socket).read(space)?;
            if count > 0 && count < space.len() {
                short = Some(count);
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(count)
        };
        let result = match &self.channel {
            Channel::Unix(stream) => stream.try_io(Interest::READABLE, || read(SockRef::from(stream))),
            Channel::Tcp(stream) => stream.try_io(Interest::READABLE, || read(SockRef::from(stream))),
            Channel::Other(stream) => return stream.try_read_slice(space),
        };
        match short {
            Some(count) => Ok(count),
            None => result,
        }
    }

    /// Whether this is a socket, which needs no flush.
    #[must_use]
    pub fn is_socket(&self) -> bool {
        !matches!(self.channel, Channel::Other(_))
    }

    /// Whether this is a socket or a secure channel over one. These can be used from any thread; other
    /// streams may work only within a runtime.
    pub(crate) fn is_over_socket(&self) -> bool {
        self.is_socket() || self.binding.is_some()
    }

    /// Waits until [`Self::try_write_vectored`] or [`Self::try_flush`] can succeed.
    ///
    /// # Errors
    /// The stream is broken.
    #[inline]
    pub fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.channel {
            Channel::Unix(stream) => stream.poll_write_ready(context),
            Channel::Tcp(stream) => stream.poll_write_ready(context),
            Channel::Other(stream) => stream.poll_write_ready(context),
        }
    }

    /// Writes as many bytes as the stream accepts at once. Returns their number, which may be less than the
    /// total.
    ///
    /// # Errors
    /// `WouldBlock` if the stream accepts no bytes now.
    #[inline]
    pub fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.channel {
            Channel::Unix(stream) => stream.try_write_vectored(slices),
            Channel::Tcp(stream) => stream.try_write_vectored(slices),
            Channel::Other(stream) => stream.try_write_vectored(slices),
        }
    }

    /// Flushes written bytes. For sockets this does nothing. Other streams may hold bytes back until a flush
    /// succeeds, so call it when there is nothing more to write for now.
    ///
    /// # Errors
    /// `WouldBlock` if the flush has not completed: wait with [`Self::poll_write_ready`], then call this
    /// again.
    #[inline]
    pub fn try_flush(&self) -> io::Result<()> {
        match &self.channel {
            Channel::Unix(_) | Channel::Tcp(_) => Ok(()),
            Channel::Other(stream) => stream.try_flush(),
        }
    }

    /// Closes the direction to the peer. The peer reads the written bytes and then the end of the stream; it
    /// can still write.
    ///
    /// # Errors
    /// `WouldBlock` if this has not completed: wait with [`Self::poll_write_ready`], then call this again.
    pub fn shutdown_write(&self) -> io::Result<()> {
        match &self.channel {
            Channel::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Channel::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Channel::Other(stream) => stream.try_shutdown(),
        }
    }

    /// The address of the peer.
    #[must_use]
    pub fn peer_address(&self) -> &PeerAddress {
        &self.peer
    }

    /// The process of the peer, on a unix socket.
    #[must_use]
    pub fn peer_credentials(&self) -> Option<Credentials> {
        self.credentials
    }

    /// The binding of the handshake's proofs to this channel, if it is a secure one (clause 2.9).
    #[must_use]
    pub fn channel_binding(&self) -> Option<ChannelBinding> {
        self.binding
    }
}

/// Creates two streams in memory that are connected to each other. Each direction holds up to `capacity`
/// bytes.
#[must_use]
pub fn pair(capacity: usize) -> (Stream, Stream) {
    pair_of(capacity, |io| io)
}

/// Like [`pair`], with the first stream wrapped.
pub(crate) fn pair_of<T>(capacity: usize, wrap: impl FnOnce(DuplexStream) -> T) -> (Stream, Stream)
where
    T: AsyncRead + AsyncWrite + Send + 'static,
{
    let (first, second) = tokio::io::duplex(capacity);
    (Stream::other(wrap(first), PeerAddress::Memory), Stream::other(second, PeerAddress::Memory))
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(address) => address.fmt(formatter),
            Self::Tcp(address) => write!(formatter, "tcp:{address}"),
            Self::Tls(address) => write!(formatter, "tls:{address}"),
            Self::Stdio => formatter.write_str("stdio"),
            Self::Process { program, pid } => write!(formatter, "process {pid} ({program})"),
            Self::Memory => formatter.write_str("memory"),
            Self::Other(name) => formatter.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{ConnectOptions, ListenOptions, Listener, connect};

    #[tokio::test]
    async fn tcp_nodelay_is_set_on_both_ends() {
        let address = "tcp:127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(&address, &ListenOptions::new()).await.unwrap();
        let connected = connect(listener.local_address(), &ConnectOptions::new()).await.unwrap();
        let accepted = listener.accept().await.unwrap().secure().await.unwrap();
        for stream in [connected, accepted] {
            assert!(matches!(stream.channel, Channel::Tcp(stream) if stream.nodelay().unwrap()));
        }
    }
}
