//! TLS beneath the handshake: an encrypted channel that the shared secret vouches for (clauses 1.5 and 2.9).
//!
//! By default no certificate says who the server is: the server makes one for itself when it begins to listen, and the
//! client takes any. That alone would protect from nobody on the way, so the handshake's proofs are bound to the channel:
//! whoever stands between two channels cannot make the proofs fit. A server can have a certificate from an authority all
//! the same, and a client can ask for one; the binding stays.
//!
//! Invariants: a stream that this module makes carries its channel's binding, with no way to have one without; the
//! verifier that takes any certificate, and every configuration that holds it, are private to [`connector`], whose one
//! result is such a stream. TLS 1.3 only, no resumption, no early data: a channel is always made anew by both ends.

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
