//! A connected byte stream, whatever is beneath.
//!
//! Invariants: everything takes `&self`, so a reader and a writer can share it without a lock; reading and writing are
//! synchronous tries, waiting is for readiness only. At most one task waits to read and one to write.

use std::fmt;
use std::io::{self, IoSlice, Read};
use std::net::{Shutdown, SocketAddr};
use std::task::{Context, Poll};

use bytes::BytesMut;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest};
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

/// Where a peer is, as far as that can be said; for logs and limits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerAddress {
    /// Behind this unix socket, which is the server's on both ends: a client's has no name.
    Unix(Address),
    /// At this address.
    Tcp(SocketAddr),
    /// At this address, over TLS.
    Tls(SocketAddr),
    /// At the other end of this process's stdin and stdout: the program that started it.
    Stdio,
    /// A child process of this one, at the other end of its stdin and stdout.
    Process {
        /// The program as it was named when it was started.
        program: String,
        /// Its process id; once it has ended, the system may give the number to another process.
        pid: u32,
    },
    /// In this process.
    Memory,
    /// Behind something that was handed to us, by the name that came with it.
    Other(String),
}

/// The process at the other end of a unix socket, as the system vouches for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Credentials {
    /// Its effective user id when it connected, or listened.
    pub uid: u32,
    /// Its effective group id then.
    pub gid: u32,
    /// Its process id, where the system tells.
    pub pid: Option<i32>,
}

impl Credentials {
    pub(super) fn of(stream: &UnixStream) -> Option<Self> {
        let credentials = stream.peer_cred().ok()?;
        Some(Self { uid: credentials.uid(), gid: credentials.gid(), pid: credentials.pid() })
    }
}

impl Stream {
    /// Anything that reads and writes, by a name for logs.
    pub fn from_io(io: impl AsyncRead + AsyncWrite + Send + 'static, name: impl Into<String>) -> Self {
        Self::other(io, PeerAddress::Other(name.into()))
    }

    pub(super) fn other(io: impl AsyncRead + AsyncWrite + Send + 'static, peer: PeerAddress) -> Self {
        Self { channel: Channel::Other(Emulated::new(io)), peer, credentials: None, binding: None }
    }

    /// A secure channel, never without its binding.
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

    /// Waits until [`Self::try_read`] is worth a try.
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

    /// Reads what is there into the buffer's spare room, at most that much; where there is none, the buffer grows a
    /// little. Gives the bytes read, 0 at the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock` where there is nothing; the buffer is then as it was.
    #[inline]
    pub fn try_read(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        match &self.channel {
            Channel::Unix(stream) => stream.try_read_buf(buffer),
            Channel::Tcp(stream) => stream.try_read_buf(buffer),
            Channel::Other(stream) => stream.try_read(buffer),
        }
    }

    /// Like [`Self::try_read`], into scratch space. A read that does not fill it has found the socket empty, and the next
    /// wait is for new bytes, without a further try that could only fail.
    ///
    /// # Errors
    /// `WouldBlock` where there is nothing.
    #[inline]
    pub fn try_read_all(&self, space: &mut [u8]) -> io::Result<usize> {
        let mut short = None;
        // Told `WouldBlock`, tokio clears the readiness that it saw before the read, and only that one.
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

    /// Whether it is a socket, which needs no flush.
    #[must_use]
    pub fn is_socket(&self) -> bool {
        !matches!(self.channel, Channel::Other(_))
    }

    /// Whether it is a socket or a secure channel over one, which can be tried from any thread. Other streams may be of a
    /// kind that works within a runtime only.
    pub(crate) fn is_over_socket(&self) -> bool {
        self.is_socket() || self.binding.is_some()
    }

    /// Waits until [`Self::try_write_vectored`] or [`Self::try_flush`] is worth a try.
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

    /// Writes as much as is taken at once. Gives the bytes written, which may be fewer than there are.
    ///
    /// # Errors
    /// `WouldBlock` where nothing is taken.
    #[inline]
    pub fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.channel {
            Channel::Unix(stream) => stream.try_write_vectored(slices),
            Channel::Tcp(stream) => stream.try_write_vectored(slices),
            Channel::Other(stream) => stream.try_write_vectored(slices),
        }
    }

    /// Sees to it that what was written is on its way. Sockets need none of it and are always done; behind other streams
    /// bytes may wait until this has succeeded, so call it when there is nothing more to write for now.
    ///
    /// # Errors
    /// `WouldBlock` where it is not done yet: wait with [`Self::poll_write_ready`], then call again.
    #[inline]
    pub fn try_flush(&self) -> io::Result<()> {
        match &self.channel {
            Channel::Unix(_) | Channel::Tcp(_) => Ok(()),
            Channel::Other(stream) => stream.try_flush(),
        }
    }

    /// Closes this side's half: the peer reads what was written and then the end; it can still write.
    ///
    /// # Errors
    /// `WouldBlock` where it is not done yet: wait with [`Self::poll_write_ready`], then call again.
    pub fn shutdown_write(&self) -> io::Result<()> {
        match &self.channel {
            Channel::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Channel::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            Channel::Other(stream) => stream.try_shutdown(),
        }
    }

    /// Where the peer is.
    #[must_use]
    pub fn peer_address(&self) -> &PeerAddress {
        &self.peer
    }

    /// Which process the peer is, on a unix socket.
    #[must_use]
    pub fn peer_credentials(&self) -> Option<Credentials> {
        self.credentials
    }

    /// What ties the handshake's proofs to this channel, where it is a secure one (clause 2.9).
    #[must_use]
    pub fn channel_binding(&self) -> Option<ChannelBinding> {
        self.binding
    }
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
    async fn tcp_does_not_hold_small_writes_back_on_either_end() {
        let address = "tcp:127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(&address, &ListenOptions::new()).await.unwrap();
        let connected = connect(listener.local_address(), &ConnectOptions::new()).await.unwrap();
        let accepted = listener.accept().await.unwrap().secure().await.unwrap();
        for stream in [connected, accepted] {
            assert!(matches!(stream.channel, Channel::Tcp(stream) if stream.nodelay().unwrap()));
        }
    }
}
