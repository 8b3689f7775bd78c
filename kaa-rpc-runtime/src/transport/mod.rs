//! Addresses and byte streams: unix sockets, TCP, TLS, stdin and stdout, anything else that reads and writes, and an
//! in-memory pair.
//!
//! Invariants (`docs/wire.md`, section 1): nothing here knows of frames or secrets; nothing is read or written but by a
//! synchronous try, so a future dropped half-way loses no byte; plain TCP leaves the machine only where that was said
//! in so many words; a TLS channel goes with its binding; a socket file is removed only by whoever made it.

mod accept;
mod accepted;
mod address;
mod connect;
mod error;
#[cfg(feature = "systemd")]
mod inherited;
mod listener;
mod memory;
mod options;
#[cfg(feature = "process")]
mod process;
mod readiness;
mod ready_made;
mod socket_file;
mod stdio;
mod stream;
mod tcp;
mod tls;
mod unix;

pub(crate) use stdio::take as take_stdio;

pub use accept::{AcceptBackoff, AcceptFailure};
pub use accepted::Accepted;
pub use address::{Address, AddressError};
pub use connect::connect;
pub use error::{InheritErrorKind, TransportError};
pub use listener::Listener;
pub use memory::pair;
pub(crate) use memory::pair_of;
pub use options::{ConnectOptions, ListenOptions};
#[cfg(feature = "process")]
pub use process::spawn;
pub use stream::{Credentials, PeerAddress, Stream};
pub use tls::TlsError;
#[cfg(feature = "_tls")]
pub use tls::{TlsCertificate, TlsRoots};
