//! Creates secrets: from bytes, from random bytes, and for child processes.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::Command;

use zeroize::Zeroizing;

use super::error::SecretError;
use crate::protocol::secret::Secret;

impl Secret {
    /// The environment variable in which a host passes a secret to a child process. On Linux, root and
    /// processes of the same user can read it in `/proc/PID/environ`.
    pub const VARIABLE: &'static str = "KAA_RPC_SECRET";

    /// Creates a secret from bytes. They should be random: anyone who can guess them can connect.
    ///
    /// # Errors
    /// [`SecretError::TooShort`] and [`SecretError::TooLong`].
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        Ok(Self::from_wiped(Zeroizing::new(bytes.into()))?)
    }

    /// Creates a random secret: 256 random bits as 64 hexadecimal digits. The digits themselves are the
    /// secret, so a text file can hold it and a person can copy it.
    ///
    /// # Errors
    /// [`SecretError::Random`] if the operating system returns no random bytes.
    pub fn generate() -> Result<Self, SecretError> {
        let mut random = Zeroizing::new([0; 32]);
        getrandom::fill(random.as_mut_slice()).map_err(|source| SecretError::Random { source })?;
        let mut digits = Zeroizing::new(Vec::with_capacity(64));
        for byte in random.iter() {
            digits.extend([hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        Ok(Self::from_wiped(digits)?)
    }

    /// Creates a random secret for one child process, which reads it with [`Secret::from_parent`].
    ///
    /// Use this only if you start the child yourself. `ClientBuilder::connect_process` and `Server::spawn` do
    /// it for you.
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
    /// [`SecretError::Random`] if the operating system returns no random bytes.
    pub fn generate_for(command: &mut Command) -> Result<Self, SecretError> {
        let secret = Self::generate()?;
        command.env(Self::VARIABLE, OsStr::from_bytes(secret.exposed()));
        Ok(secret)
    }

    /// Reads the secret that the program's host has passed to it: the bytes of the environment variable
    /// [`KAA_RPC_SECRET`](Secret::VARIABLE).
    ///
    /// The variable stays set, and programs that this one starts inherit it, unless you remove it with
    /// `Command::env_remove`.
    ///
    /// # Errors
    /// [`SecretError::NoParent`] if the variable is not set, [`SecretError::UnusableVariable`] if its value
    /// is too short or too long.
    pub fn from_parent() -> Result<Self, SecretError> {
        let value = std::env::var_os(Self::VARIABLE).ok_or(SecretError::NoParent)?;
        Self::from_wiped(Zeroizing::new(value.into_vec()))
            .map_err(|error| SecretError::UnusableVariable { source: Box::new(error.into()) })
    }
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0'.wrapping_add(nibble) } else { b'a'.wrapping_add(nibble.wrapping_sub(10)) }
}
