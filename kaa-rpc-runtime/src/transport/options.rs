//! What can be chosen about listening and connecting.

#[cfg(feature = "_tls")]
use super::tls::{TlsCertificate, TlsRoots};

/// How to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenOptions {
    pub(super) socket_mode: u32,
    pub(super) allowed_uids: Option<Vec<u32>>,
    pub(super) plaintext: Plaintext,
    #[cfg(feature = "_tls")]
    pub(super) tls_certificate: Option<TlsCertificate>,
}

/// How to connect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectOptions {
    pub(super) plaintext: Plaintext,
    #[cfg(feature = "_tls")]
    pub(super) tls_roots: Option<TlsRoots>,
}

/// How far TCP without encryption may reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Plaintext {
    /// Not beyond this machine.
    #[default]
    LoopbackOnly,
    /// Anywhere.
    Anywhere,
}

impl ListenOptions {
    /// Unix sockets for their owner only, TCP on this machine only.
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

    /// The permission bits of a unix socket, instead of `0o600`. To connect, one needs write permission.
    #[must_use]
    pub fn socket_mode(mut self, mode: u32) -> Self {
        self.socket_mode = mode & 0o777;
        self
    }

    /// Lets processes of these user ids only connect to a unix socket; others are cut off at once. This is the only
    /// protection beside the secret for an abstract name, which has no permissions.
    #[must_use]
    pub fn allowed_uids(mut self, uids: impl IntoIterator<Item = u32>) -> Self {
        self.allowed_uids = Some(uids.into_iter().collect());
        self
    }

    /// Permits plain TCP beyond this machine. Whoever is on the way can then read everything, and relay and change it.
    #[must_use]
    pub fn allow_plaintext(mut self) -> Self {
        self.plaintext = Plaintext::Anywhere;
        self
    }
}

#[cfg(feature = "_tls")]
impl ListenOptions {
    /// Shows this certificate at a `tls:` address, in place of one made for the occasion.
    #[must_use]
    pub fn tls_certificate(mut self, certificate: TlsCertificate) -> Self {
        self.tls_certificate = Some(certificate);
        self
    }
}

#[cfg(feature = "_tls")]
impl ConnectOptions {
    /// Asks a server at a `tls:` address for a certificate of one of these authorities, for the host of the address.
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
    /// TCP on this machine only.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Permits plain TCP beyond this machine. Whoever is on the way can then read everything, and relay and change it.
    #[must_use]
    pub fn allow_plaintext(mut self) -> Self {
        self.plaintext = Plaintext::Anywhere;
        self
    }
}
