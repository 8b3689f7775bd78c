//! Addresses and byte streams: unix sockets, TCP, TLS, stdin and stdout, any other byte stream, and pairs in
//! memory.
//!
//! Invariants (`docs/wire.md`, section 1):
//! - This module does not know frames and secrets.
//! - Reads and writes are synchronous attempts, so a dropped future loses no byte.
//! - Plain TCP to other machines needs explicit permission. A TLS channel always has its binding.
//! - A socket file is removed only by the process that created it.

mod accept;
mod address;
mod connect;
mod error;
mod existing;
#[cfg(feature = "systemd")]
mod inherited;
mod listener;
mod options;
mod readiness;
mod socket_file;
mod stdio;
mod stream;
mod tcp;
mod tls;
mod unix;

#[cfg(feature = "process")]
pub use stdio::spawn;
pub(crate) use stdio::take as take_stdio;
pub(crate) use stream::pair_of;

pub use accept::{AcceptBackoff, AcceptFailure};
pub use address::{Address, AddressError};
pub use connect::connect;
pub use error::{InheritErrorKind, TransportError};
pub use listener::{Accepted, Listener};
pub use options::{ConnectOptions, ListenOptions};
pub use stream::{Credentials, PeerAddress, Stream, pair};
pub use tls::TlsError;
#[cfg(feature = "_tls")]
pub use tls::{TlsCertificate, TlsRoots};
