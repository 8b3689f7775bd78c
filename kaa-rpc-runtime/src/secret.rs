//! The shared secret that both ends of a connection prove to each other, and the set of secrets a server accepts.
//!
//! Invariants: a secret has at least [`Secret::MIN_LENGTH`] bytes; its bytes leave this crate only through
//! [`Secret::write_new_file`] and, made for one child process, through its environment; they are wiped from memory with the last clone; no comparison of secrets exists that
//! could be timed, and no printed form of one.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use hmac::{Hmac, KeyInit};
use rustix::fs::{Mode, OFlags};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A shared secret: whoever has it may connect, and may serve.
///
/// Make one with [`Secret::generate`], keep it with [`Secret::write_new_file`], and give the same file to both ends.
/// Cloning is cheap and makes no second copy of the bytes.
#[derive(Clone)]
pub struct Secret {
    bytes: Arc<Zeroizing<Vec<u8>>>,
}

/// What is wrong with a secret, or with the file that holds it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Short enough to be guessed.
    #[error("a secret of {length} bytes is too short; at least {minimum} are needed", minimum = Secret::MIN_LENGTH)]
    TooShort {
        /// Bytes it has.
        length: usize,
    },
    /// Too long to be a secret; probably another file.
    #[error("a secret of more than {maximum} bytes is too long", maximum = Secret::MAX_LENGTH)]
    TooLong,
    /// The file's permissions let others in.
    #[error("{} is open to other users (its mode is {mode:04o}); make it private with `chmod 600`", path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is something at the path, but no regular file.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file holds no secret that could be used.
    #[error("{} holds no usable secret: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        source: Box<SecretError>,
    },
    /// The file cannot be read.
    #[error("cannot read the secret in {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file exists; a secret is never overwritten.
    #[error("{} exists already and was left as it is", path.display())]
    AlreadyExists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write the secret to {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// This program was not started by a host that gives it a secret.
    #[error(
        "the environment variable {} is not set: this program is to be started by its host, which gives it a secret so",
        Secret::VARIABLE
    )]
    NoParent,
    /// The secret that the host gave cannot be used.
    #[error("the environment variable {} holds no usable secret: {source}", Secret::VARIABLE)]
    UnusableVariable {
        /// What is wrong with it.
        source: Box<SecretError>,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {source}")]
    Random {
        /// Why.
        source: getrandom::Error,
    },
}

impl Secret {
    /// Fewest bytes of a secret.
    pub const MIN_LENGTH: usize = 16;
    /// Most bytes of a secret.
    pub const MAX_LENGTH: usize = 4096;
    /// The environment variable by which a host gives a secret to a child process. On Linux processes of the same user,
    /// and root, can read it in `/proc/PID/environ`; nobody else can.
    pub const VARIABLE: &'static str = "KAA_RPC_SECRET";

    /// A secret of these bytes. They should be random: whoever can guess them can connect.
    ///
    /// # Errors
    /// [`SecretError::TooShort`] and [`SecretError::TooLong`].
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        Self::from_wiped(Zeroizing::new(bytes.into()))
    }

    /// A new random secret: 64 hexadecimal digits made of 256 random bits. The digits are the secret, so that a person
    /// can copy it and a file can hold it as text.
    ///
    /// # Errors
    /// [`SecretError::Random`] if the system has no random bytes to give.
    pub fn generate() -> Result<Self, SecretError> {
        let mut random = Zeroizing::new([0; 32]);
        getrandom::fill(random.as_mut_slice()).map_err(|source| SecretError::Random { source })?;
        let mut digits = Zeroizing::new(Vec::with_capacity(64));
        for byte in random.iter() {
            digits.extend([hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        Self::from_wiped(digits)
    }

    /// A new random secret for one child process, which finds it with [`Secret::from_parent`]. Only needed where a child
    /// is started by hand: `ClientBuilder::connect_process` and `Server::spawn` do it themselves.
    ///
    /// ```
    /// use kaa_rpc_runtime::Secret;
    ///
    /// let mut command = std::process::Command::new("plugin");
    /// let secret = Secret::generate_for(&mut command)?;
    /// # Ok::<(), kaa_rpc_runtime::secret::SecretError>(())
    /// ```
    ///
    /// # Errors
    /// [`SecretError::Random`] if the system has no random bytes to give.
    pub fn generate_for(command: &mut Command) -> Result<Self, SecretError> {
        let secret = Self::generate()?;
        command.env(Self::VARIABLE, OsStr::from_bytes(&secret.bytes));
        Ok(secret)
    }

    /// The secret that the program's host has given to it: the bytes of the environment variable
    /// [`KAA_RPC_SECRET`](Secret::VARIABLE).
    ///
    /// The variable stays where it is, and programs that this one starts inherit it; `Command::env_remove` keeps it from
    /// them.
    ///
    /// # Errors
    /// [`SecretError::NoParent`] where it is not set, [`SecretError::UnusableVariable`] where it is too short or long.
    pub fn from_parent() -> Result<Self, SecretError> {
        let value = std::env::var_os(Self::VARIABLE).ok_or(SecretError::NoParent)?;
        Self::from_wiped(Zeroizing::new(value.into_vec()))
            .map_err(|source| SecretError::UnusableVariable { source: Box::new(source) })
    }

    /// The secret in a file, which is made with a new random secret if it does not exist: what a server does when it
    /// is started for the first time.
    ///
    /// # Errors
    /// As [`Secret::from_file`] and [`Secret::write_new_file`].
    pub fn from_file_or_generate(path: impl AsRef<Path>) -> Result<Self, SecretError> {
        let path = path.as_ref();
        match Self::from_file(path) {
            Err(SecretError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            result => return result,
        }
        let secret = Self::generate()?;
        match secret.write_new_file(path) {
            Ok(()) => Ok(secret),
            // Somebody else was faster: theirs it is.
            Err(SecretError::AlreadyExists { .. }) => Self::from_file(path),
            Err(error) => Err(error),
        }
    }

    /// The secret in a file: its bytes, without one newline at the end.
    ///
    /// # Errors
    /// A file that other users may read or write is refused, as is one that is no regular file, and one that holds
    /// too little or too much.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SecretError> {
        let path = path.as_ref();
        let read_error = |source: io::Error| SecretError::Read { path: path.to_owned(), source };
        // Without NONBLOCK, a pipe in the file's place would hold us here until somebody writes to it.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| read_error(errno.into()))?;
        let file = File::from(file);
        let metadata = file.metadata().map_err(read_error)?;
        if !metadata.is_file() {
            return Err(SecretError::NotAFile { path: path.to_owned() });
        }
        let mode = metadata.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SecretError::OpenToOthers { path: path.to_owned(), mode });
        }
        // Room for everything at once: a buffer that grew would leave copies behind.
        let most = Self::MAX_LENGTH.saturating_add(2);
        let mut bytes = Zeroizing::new(Vec::with_capacity(most));
        let limit = u64::try_from(most).unwrap_or(u64::MAX);
        file.take(limit).read_to_end(&mut bytes).map_err(read_error)?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        Self::from_wiped(bytes)
            .map_err(|source| SecretError::Unusable { path: path.to_owned(), source: Box::new(source) })
    }

    /// Writes the secret and a newline to a new file that only its owner may read. The file appears whole: whoever
    /// finds it can read the secret in it.
    ///
    /// # Errors
    /// An existing file is never touched: [`SecretError::AlreadyExists`].
    pub fn write_new_file(&self, path: impl AsRef<Path>) -> Result<(), SecretError> {
        let path = path.as_ref();
        let write_error = |source: io::Error| SecretError::Write { path: path.to_owned(), source };
        let draft = Draft::beside(path)?;
        self.write_draft(&draft).map_err(write_error)?;
        // A link is made only if there is nothing under its name; a rename would replace what is there.
        match std::fs::hard_link(&draft.path, path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(SecretError::AlreadyExists { path: path.to_owned() })
            }
            Err(source) => Err(write_error(source)),
        }
    }

    fn write_draft(&self, draft: &Draft) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.path)?;
        file.write_all(&self.bytes)?;
        file.write_all(b"\n")?;
        file.sync_all()
    }

    /// HMAC-SHA256 under this secret. The key block is RFC 2104's: a long secret is hashed, a short one padded.
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

    /// Whether it is a clone of this one; nothing is said of the bytes of two that were made apart.
    pub(crate) fn is_same_object(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bytes, &other.bytes)
    }

    fn from_wiped(bytes: Zeroizing<Vec<u8>>) -> Result<Self, SecretError> {
        match bytes.len() {
            length if length < Self::MIN_LENGTH => Err(SecretError::TooShort { length }),
            length if length > Self::MAX_LENGTH => Err(SecretError::TooLong),
            _ => Ok(Self { bytes: Arc::new(bytes) }),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(redacted)")
    }
}

/// The name of a file beside the one that is to be; what it names is removed at the end.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn beside(path: &Path) -> Result<Self, SecretError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|source| SecretError::Random { source })?;
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{:016x}", u64::from_ne_bytes(random)));
        Ok(Self { path: name.into() })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0'.wrapping_add(nibble) } else { b'a'.wrapping_add(nibble.wrapping_sub(10)) }
}

/// The public name of a secret, so that a server can hold several and replace one while it runs. Empty by default.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    bytes: Box<[u8]>,
}

/// A key id that is too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key id of {length} bytes is too long; at most {maximum} are allowed", maximum = KeyId::MAX_LENGTH)]
pub struct KeyIdError {
    /// Bytes it has.
    pub length: usize,
}

impl KeyId {
    /// Most bytes of a key id.
    pub const MAX_LENGTH: usize = 32;

    /// A key id of these bytes; text, as a rule.
    ///
    /// # Errors
    /// Longer than [`KeyId::MAX_LENGTH`].
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, KeyIdError> {
        let bytes = bytes.as_ref();
        if bytes.len() > Self::MAX_LENGTH {
            return Err(KeyIdError { length: bytes.len() });
        }
        Ok(Self { bytes: bytes.into() })
    }

    /// Its bytes.
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

/// The secrets that a server accepts, by key id. To replace a secret without downtime, accept the new one beside the
/// old, move the clients over, then take the old one away.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    secrets: HashMap<KeyId, Secret>,
}

impl Keys {
    /// No key at all: nobody gets in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These keys and one more. A secret that was there under the same id is replaced.
    #[must_use]
    pub fn with(mut self, key_id: KeyId, secret: Secret) -> Self {
        self.secrets.insert(key_id, secret);
        self
    }

    /// Accepts a secret under a key id; gives back the one that it replaces.
    pub fn insert(&mut self, key_id: KeyId, secret: Secret) -> Option<Secret> {
        self.secrets.insert(key_id, secret)
    }

    /// Accepts the secret under this key id no longer.
    pub fn remove(&mut self, key_id: &KeyId) -> Option<Secret> {
        self.secrets.remove(key_id)
    }

    /// How many keys are accepted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether no key is accepted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    pub(crate) fn secret(&self, key_id: &KeyId) -> Option<&Secret> {
        self.secrets.get(key_id)
    }
}

impl From<Secret> for Keys {
    /// One secret under the empty key id, which is what a client uses that names none.
    fn from(secret: Secret) -> Self {
        Self::new().with(KeyId::default(), secret)
    }
}

impl FromIterator<(KeyId, Secret)> for Keys {
    fn from_iter<I: IntoIterator<Item = (KeyId, Secret)>>(keys: I) -> Self {
        Self { secrets: keys.into_iter().collect() }
    }
}
