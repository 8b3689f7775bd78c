//! Unix sockets, each in its own directory.

use std::path::PathBuf;

use tokio::net::UnixListener;

/// A temporary directory for one socket.
pub struct SocketDirectory {
    directory: tempfile::TempDir,
}

impl SocketDirectory {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    pub fn address(&self) -> String {
        format!("unix:{}", self.path().display())
    }

    /// Listens without the runtime, for scripted servers.
    pub fn listener(&self) -> UnixListener {
        UnixListener::bind(self.path()).unwrap()
    }
}

impl Default for SocketDirectory {
    fn default() -> Self {
        Self::new()
    }
}
