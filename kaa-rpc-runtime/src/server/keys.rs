//! The keys of a server, which can be replaced while it runs.
//!
//! Invariants: a handshake sees one set of keys from its beginning to its end; when a key has been taken away, no
//! connection is left that came in by it afterwards, also none whose handshake was under way.

use std::sync::{Arc, PoisonError, RwLock};

use super::running::Server;
use crate::error::CloseReason;
use crate::secret::{KeyId, Keys, Secret};

/// The keys that count now.
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

    fn change<T>(&self, change: impl FnOnce(&mut Keys) -> T) -> T {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut keys))
    }
}

/// The key of the server's by which a connection came in.
#[derive(Debug)]
pub(super) struct Pass {
    key_id: KeyId,
    secret: Secret,
}

impl Pass {
    /// What was proved, of the keys that counted when the handshake began.
    pub(super) fn new(keys: &Keys, key_id: &KeyId) -> Option<Self> {
        keys.secret(key_id).map(|secret| Self { key_id: key_id.clone(), secret: secret.clone() })
    }

    pub(super) fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// Whether the key still counts.
    pub(super) fn is_valid(&self, ring: &KeyRing) -> bool {
        ring.current().secret(&self.key_id).is_some_and(|secret| secret.is_same_object(&self.secret))
    }
}

impl Server {
    /// Accepts a secret under a key id from now on; gives back the one that it replaces. Connections that are open stay.
    ///
    /// To replace a secret without downtime, accept the new one under a new key id, give it to the clients
    /// ([`ClientBuilder::secret_source`](crate::ClientBuilder::secret_source)), then remove the old one.
    ///
    /// ```
    /// use kaa_rpc_runtime::{KeyId, Secret, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (may, june) = (KeyId::new("may")?, KeyId::new("june")?);
    /// let server = Server::builder().key(may.clone(), Secret::generate()?).listen("tcp:[::1]:0").await?;
    /// server.insert_key(june, Secret::generate()?); // both count
    /// server.remove_key(&may); // only the new one counts; whoever is connected stays so
    /// server.close_key(&may); // unless they are to go
    /// # Ok(())
    /// # }
    /// ```
    pub fn insert_key(&self, key_id: KeyId, secret: Secret) -> Option<Secret> {
        self.shared.keys.change(|keys| keys.insert(key_id, secret))
    }

    /// Accepts the secret under this key id no longer; gives it back. Connections that are open stay, those whose handshake
    /// is under way do not come to be.
    pub fn remove_key(&self, key_id: &KeyId) -> Option<Secret> {
        self.shared.keys.change(|keys| keys.remove(key_id))
    }

    /// Closes the connections that came in by this key id, also by a secret that has been replaced since; how many they
    /// were. Clients that connect again need a key that is accepted then. Child processes have keys of their own and stay.
    pub fn close_key(&self, key_id: &KeyId) -> usize {
        let links = self.shared.registry.links_by_key(key_id);
        for link in &links {
            link.close(&CloseReason::ClosedLocally);
        }
        links.len()
    }
}
