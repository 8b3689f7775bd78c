//! The keys of a server, which can be replaced while it runs.
//!
//! Invariant: a handshake uses one set of keys from start to end.

use std::sync::{Arc, PoisonError, RwLock};

use crate::secret::{KeyId, Keys, Secret};

/// The keys that are accepted now.
#[derive(Debug)]
pub(super) struct KeyRing {
    keys: RwLock<Arc<Keys>>,
}

impl KeyRing {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)) }
    }

    pub(super) fn current(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Keys) -> T) -> T {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut keys))
    }
}

/// The key of the server with which a client has authenticated itself.
#[derive(Debug)]
pub(super) struct AuthenticatedKey {
    key_id: KeyId,
    secret: Secret,
}

impl AuthenticatedKey {
    /// Looks up the key in the set that the handshake used.
    pub(super) fn new(keys: &Keys, key_id: &KeyId) -> Option<Self> {
        keys.secret(key_id).map(|secret| Self { key_id: key_id.clone(), secret: secret.clone() })
    }

    pub(super) fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// Whether the server still accepts the key.
    pub(super) fn is_valid(&self, ring: &KeyRing) -> bool {
        ring.current().secret(&self.key_id).is_some_and(|secret| secret.is_same_object(&self.secret))
    }
}
