//! Options for listening and connecting.

#[cfg(feature = "_tls")]
use super::tls::{TlsCertificate, TlsRoots};

/// Options for listening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenOptions {
    pub(super) socket_mode: u32,
    pub(super) allowed_uids: Option<Vec<u32>>,
    pub(super) plaintext: Plaintext,
    #[cfg(feature = "_tls")]
    pub(super) tls_certificate: Option<TlsCertificate>,
}

/// Options for connecting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectOptions {
    pub(super) plaintext: Plaintext,
    #[cfg(feature = "_tls")]
    pub(super) tls_roots: Option<TlsRoots>,
}

/// Where unencrypted TCP is allowed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Plaintext {
    /// Only on loopback addresses.
    #[default]
    LoopbackOnly,
    /// Anywhere.
    Anywhere,
}

impl ListenOptions {
    /// The default options: unix sockets only for their owner, plain TCP only on loopback addresses.
    #[must_use]
    pub fn new() -> Self {
        Self {
            socket_mode: 0o600,
            allowed_uids: None,
            plaintext: Plaintext::LoopbackOnly,
            #[cfg(feature = "_tls")]
            tls_certificate: None,
        }
    }

    /// Sets the permission bits of a unix socket, which are `0o600` by default. A client needs write
    /// permission.
    #[must_use]
    pub fn socket_mode(mut self, mode: u32) -> Self {
        self.socket_mode = mode & 0o777;
        self
    }

    /// Accepts connections to a unix socket only from processes with these user ids. Others are closed at
    /// once. For an abstract name, which has no permissions, this is the only protection besides the secret.
    #[must_use]
    pub fn allowed_uids(mut self, uids: impl IntoIterator<Item = u32>) -> Self {
        self.allowed_uids = Some(uids.into_iter().collect());
        self
    }

    /// Allows plain TCP with other machines. Everyone on the network path can then read and change the data.
    #[must_use]
    pub fn allow_plaintext(mut self) -> Self {
        self.plaintext = Plaintext::Anywhere;
        self
    }
}

#[cfg(feature = "_tls")]
impl ListenOptions {
    /// Sets the certificate for `tls:` addresses. By default the listener creates one.
    #[must_use]
    pub fn tls_certificate(mut self, certificate: TlsCertificate) -> Self {
        self.tls_certificate = Some(certificate);
        self
    }
}

#[cfg(feature = "_tls")]
impl ConnectOptions {
    /// Requires that a server at a `tls:` address has a certificate from one of these authorities for the
    /// host in the address.
    #[must_use]
    pub fn tls_verify(mut self, roots: TlsRoots) -> Self {
        self.tls_roots = Some(roots);
        self
    }
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl ConnectOptions {
    /// The default options: plain TCP only on loopback addresses.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows plain TCP with other machines. Everyone on the network path can then read and change the data.
    #[must_use]
    pub fn allow_plaintext(mut self) -> Self {
        self.plaintext = Plaintext::Anywhere;
        self
    }
}
