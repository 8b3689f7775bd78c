//! TLS: an encrypted channel that the shared secret authenticates (clauses 1.5 and 2.9).
//!
//! By default no certificate authenticates the server: it creates one when it starts to listen, and the
//! client accepts any. This alone would not protect against an attacker between the two. The handshake's
//! proofs are therefore bound to the channel: an attacker with one channel to each side cannot forward proofs
//! that match. A server can also have a certificate from an authority, and a client can require one; the
//! proofs are still bound.
//!
//! Invariants:
//! - Every stream from this module has the binding of its channel.
//! - The verifier that accepts any certificate, and every configuration that contains it, are private to
//!   [`connector`]. It returns only streams with a binding.
//! - Only TLS 1.3, without resumption and early data: both ends establish every channel from scratch.

mod error;

#[cfg(feature = "_tls")]
mod acceptor;
#[cfg(feature = "_tls")]
mod certificate;
#[cfg(feature = "_tls")]
mod channel;
#[cfg(feature = "_tls")]
mod connector;
#[cfg(feature = "_tls")]
mod provider;
#[cfg(feature = "_tls")]
mod roots;
#[cfg(feature = "_tls")]
mod self_signed;

pub use error::TlsError;

#[cfg(feature = "_tls")]
pub(super) use acceptor::{Acceptor, Handshake};
#[cfg(feature = "_tls")]
pub use certificate::TlsCertificate;
#[cfg(feature = "_tls")]
pub(super) use connector::Connector;
#[cfg(feature = "_tls")]
pub use roots::TlsRoots;
