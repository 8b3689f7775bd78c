//! The shared secret that both ends of a connection prove, its key id, and the set of secrets that a server
//! accepts.
//!
//! Invariants:
//! - A secret has [`Secret::MIN_LENGTH`] to [`Secret::MAX_LENGTH`] bytes. The last clone wipes them from
//!   memory.
//! - No two secrets are compared byte by byte, so no comparison can leak them through its timing. `Debug`
//!   prints no byte of a secret.
//! - This file has no I/O and no randomness. `crate::secret` creates secrets, and reads and writes their
//!   files.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A shared secret. A program that knows it can connect to the server and can act as the server.
///
/// Create one with [`Secret::generate`], store it with [`Secret::write_new_file`], and give both ends the
/// same file. Cloning is cheap and does not copy the bytes.
#[derive(Clone)]
pub struct Secret {
    bytes: Arc<Zeroizing<Vec<u8>>>,
}

/// Bytes that are too few or too many for a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecretLengthError {
    TooShort { length: usize },
    TooLong,
}

impl Secret {
    /// The minimum length of a secret in bytes.
    pub const MIN_LENGTH: usize = 16;
    /// The maximum length of a secret in bytes.
    pub const MAX_LENGTH: usize = 4096;

    pub(crate) fn from_wiped(bytes: Zeroizing<Vec<u8>>) -> Result<Self, SecretLengthError> {
        match bytes.len() {
            length if length < Self::MIN_LENGTH => Err(SecretLengthError::TooShort { length }),
            length if length > Self::MAX_LENGTH => Err(SecretLengthError::TooLong),
            _ => Ok(Self { bytes: Arc::new(bytes) }),
        }
    }

    /// The bytes, for a file or for the environment of a child process.
    pub(crate) fn exposed(&self) -> &[u8] {
        &self.bytes
    }

    /// HMAC-SHA256 with this secret as its key. As in RFC 2104, a long key is hashed and a short one is
    /// padded.
    pub(crate) fn hmac(&self) -> Hmac<Sha256> {
        let mut block = Zeroizing::new([0_u8; 64]);
        let hashed;
        let key: &[u8] = if self.bytes.len() > block.len() {
            hashed = Zeroizing::new(<[u8; 32]>::from(Sha256::digest(self.bytes.as_slice())));
            hashed.as_slice()
        } else {
            self.bytes.as_slice()
        };
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Hmac::new((&*block).into())
    }

    /// Whether the two are clones of one secret. Secrets that were created separately differ, even if their
    /// bytes are equal.
    pub(crate) fn is_same_object(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bytes, &other.bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(redacted)")
    }
}

/// The public name of a secret. With key ids a server can accept several secrets, and can replace one while
/// it runs. Empty by default.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    bytes: Box<[u8]>,
}

/// A key id that is too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key id of {length} bytes is too long; at most {maximum} are allowed", maximum = KeyId::MAX_LENGTH)]
pub struct KeyIdError {
    /// Its length in bytes.
    pub length: usize,
}

impl KeyId {
    /// The maximum length of a key id in bytes.
    pub const MAX_LENGTH: usize = 32;

    /// Creates a key id from bytes, which are usually text.
    ///
    /// # Errors
    /// The bytes are longer than [`KeyId::MAX_LENGTH`].
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, KeyIdError> {
        let bytes = bytes.as_ref();
        if bytes.len() > Self::MAX_LENGTH {
            return Err(KeyIdError { length: bytes.len() });
        }
        Ok(Self { bytes: bytes.into() })
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.escape_ascii().fmt(formatter)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyId(\"{self}\")")
    }
}

/// The secrets that a server accepts, by key id.
///
/// To replace a secret without downtime, accept the new one in addition to the old one, move the clients
/// over, then remove the old one.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    secrets: HashMap<KeyId, Secret>,
}

impl Keys {
    /// An empty set: no client can connect.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key and returns the set. A secret with the same key id is replaced.
    #[must_use]
    pub fn with(mut self, key_id: KeyId, secret: Secret) -> Self {
        self.secrets.insert(key_id, secret);
        self
    }

    /// Adds a key. Returns the secret that it replaces.
    pub fn insert(&mut self, key_id: KeyId, secret: Secret) -> Option<Secret> {
        self.secrets.insert(key_id, secret)
    }

    /// Removes a key. Returns its secret.
    pub fn remove(&mut self, key_id: &KeyId) -> Option<Secret> {
        self.secrets.remove(key_id)
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether the set has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    pub(crate) fn secret(&self, key_id: &KeyId) -> Option<&Secret> {
        self.secrets.get(key_id)
    }
}

impl From<Secret> for Keys {
    /// One secret with the empty key id, which is a client's default.
    fn from(secret: Secret) -> Self {
        Self::new().with(KeyId::default(), secret)
    }
}

impl FromIterator<(KeyId, Secret)> for Keys {
    fn from_iter<I: IntoIterator<Item = (KeyId, Secret)>>(keys: I) -> Self {
        Self { secrets: keys.into_iter().collect() }
    }
}
