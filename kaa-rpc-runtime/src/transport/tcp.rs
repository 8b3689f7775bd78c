//! TCP: name resolution, and where plain text is allowed (clause 1.5).
//!
//! Invariant: without `allow_plaintext` no socket is created for an address that is not a loopback address.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, lookup_host};

use super::address::Address;
use super::error::TransportError;
use super::options::Plaintext;

/// The timeout of an attempt to connect to an address, if there are further addresses.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) async fn bind(
    address: &Address,
    host: &str,
    port: u16,
    plaintext: Plaintext,
) -> Result<TcpListener, TransportError> {
    let mut attempts = Attempts::default();
    for candidate in candidates(address, host, port, plaintext).await? {
        match TcpListener::bind(candidate).await {
            Ok(listener) => return Ok(listener),
            Err(error) => attempts.failed(candidate, error),
        }
    }
    let source = attempts.into_error();
    Err(match source.kind() {
        io::ErrorKind::AddrInUse => TransportError::AddressInUse { address: address.clone() },
        _ => TransportError::Listen { address: address.clone(), source },
    })
}

pub(super) async fn connect(
    address: &Address,
    host: &str,
    port: u16,
    plaintext: Plaintext,
) -> Result<(TcpStream, SocketAddr), TransportError> {
    let mut attempts = Attempts::default();
    let mut candidates = candidates(address, host, port, plaintext).await?.into_iter().peekable();
    while let Some(candidate) = candidates.next() {
        let connecting = TcpStream::connect(candidate);
        // An address that does not respond must not prevent the attempt with the next one.
        let connected = if candidates.peek().is_some() {
            tokio::time::timeout(ATTEMPT_TIMEOUT, connecting)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        } else {
            connecting.await
        };
        match connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok((stream, candidate)),
            Err(error) => attempts.failed(candidate, error),
        }
    }
    Err(TransportError::Connect { address: address.clone(), source: attempts.into_error() })
}

/// All allowed addresses of the host, in the resolver's order.
async fn candidates(
    address: &Address,
    host: &str,
    port: u16,
    plaintext: Plaintext,
) -> Result<Vec<SocketAddr>, TransportError> {
    let resolve_error = |source| TransportError::Resolve { address: address.clone(), source };
    let mut found: Vec<SocketAddr> = lookup_host((host, port)).await.map_err(resolve_error)?.collect();
    if found.is_empty() {
        return Err(resolve_error(io::Error::new(io::ErrorKind::NotFound, "the host has no address")));
    }
    if plaintext == Plaintext::LoopbackOnly {
        found.retain(|candidate| candidate.ip().to_canonical().is_loopback());
        if found.is_empty() {
            return Err(TransportError::PlaintextRefused { address: address.clone() });
        }
    }
    Ok(found)
}

/// The failed attempts.
#[derive(Default)]
struct Attempts {
    failures: Vec<(SocketAddr, io::Error)>,
}

impl Attempts {
    fn failed(&mut self, candidate: SocketAddr, error: io::Error) {
        self.failures.push((candidate, error));
    }

    /// The last error. If there are several, its text contains all of them.
    fn into_error(mut self) -> io::Error {
        let all: Vec<String> =
            self.failures.iter().map(|(candidate, error)| format!("{candidate}: {error}")).collect();
        match self.failures.pop() {
            None => io::ErrorKind::AddrNotAvailable.into(),
            Some((_, error)) if self.failures.is_empty() => error,
            Some((_, error)) => io::Error::new(error.kind(), all.join(", ")),
        }
    }
}
