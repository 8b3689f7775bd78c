//! The file of a unix socket, and the lock file next to it (clause 1.3).
//!
//! Invariants:
//! - A listener holds the lock as long as it listens.
//! - A socket file is replaced only under the lock, and only if no process listens on it.
//! - A process removes only files that it has created, identified by device and inode.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use socket2::{Domain, SockAddr, Socket, Type};

use super::address::Address;
use super::error::TransportError;

/// How often the lock file may be removed while it is being locked. After that it is an error.
const LOCK_ATTEMPTS: usize = 100;

/// A locked path for a socket file. No other kaa-rpc server can listen there.
#[derive(Debug)]
pub(super) struct ClaimedPath {
    path: PathBuf,
    lock: Lock,
}

/// A socket file that this process has created. Dropping it removes the file.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    identity: Identity,
    _lock: Lock,
}

/// The identity of a file, independent of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    fn at(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|metadata| Self::of(&metadata))
    }
}

impl ClaimedPath {
    /// Claims the path: creates its directory if necessary, locks the path, and removes a socket file on
    /// which no process listens.
    pub(super) fn claim(path: &Path) -> Result<Self, TransportError> {
        let address = || Address::Unix(path.to_owned());
        let in_use = || TransportError::AddressInUse { address: address() };
        // The working directory may change before the file is removed.
        let absolute = std::path::absolute(path)
            .map_err(|source| TransportError::Listen { address: address(), source })?;
        create_parent(&absolute)?;
        let lock = Lock::acquire(&absolute)?.ok_or_else(in_use)?;
        match fs::symlink_metadata(&absolute) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(TransportError::Listen { address: address(), source }),
            Ok(metadata) if !metadata.file_type().is_socket() => {
                return Err(TransportError::NotASocket { path: path.to_owned() });
            }
            Ok(_) => {
                let stale = is_stale(path).and_then(|stale| {
                    if stale {
                        fs::remove_file(&absolute)?;
                    }
                    Ok(stale)
                });
                match stale {
                    Ok(true) => {}
                    Ok(false) => return Err(in_use()),
                    Err(source) => return Err(TransportError::Listen { address: address(), source }),
                }
            }
        }
        Ok(Self { path: absolute, lock })
    }

    /// Returns the owner of the socket file that was just bound here.
    pub(super) fn bound(self) -> io::Result<SocketFile> {
        let identity = Identity::at(&self.path)?;
        Ok(SocketFile { path: self.path, identity, _lock: self.lock })
    }
}

impl SocketFile {
    /// The absolute path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // The lock is released after this, so no other server can have created a file here.
        if Identity::at(&self.path).is_ok_and(|identity| identity == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a socket file remains from a process that has exited.
fn is_stale(path: &Path) -> io::Result<bool> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // With a full backlog, a blocking connect would wait until the listener accepts.
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Ok(()) => Ok(false),
        Err(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => Ok(true),
            io::ErrorKind::WouldBlock => Ok(false),
            _ => Err(error),
        },
    }
}

fn create_parent(path: &Path) -> Result<(), TransportError> {
    let Some(parent) = path.parent().filter(|parent| !parent.exists()) else { return Ok(()) };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(parent)
        .map_err(|source| TransportError::Directory { path: parent.to_owned(), source })
}

/// A lock file next to the socket file. The operating system releases the lock when the process ends, even if
/// it crashes.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Acquires the lock; `None` if another process has it.
    fn acquire(socket: &Path) -> Result<Option<Self>, TransportError> {
        let mut path = socket.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        match Self::try_acquire(&path) {
            Ok(file) => Ok(file.map(|file| Self { path, file })),
            Err(source) => Err(TransportError::Lock { path, source }),
        }
    }

    fn try_acquire(path: &Path) -> io::Result<Option<File>> {
        for _ in 0..LOCK_ATTEMPTS {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(0o600);
            let file = options.custom_flags(no_follow()).open(path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
            // The previous owner may have removed the file after it was opened here. Other processes could
            // then not find the locked file.
            let ours = Identity::of(&file.metadata()?);
            if Identity::at(path).is_ok_and(|there| there == ours) {
                return Ok(Some(file));
            }
        }
        Err(io::Error::other("the lock file is repeatedly removed"))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let ours = self.file.metadata().map(|metadata| Identity::of(&metadata));
        if let (Ok(ours), Ok(there)) = (ours, Identity::at(&self.path))
            && ours == there
        {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn no_follow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default()
}
