//! Secrets: creating them, reading and writing their files, and passing them to child processes.
//!
//! Both ends of a connection prove that they know the same [`Secret`]. A server accepts a set of them, its
//! [`Keys`].
//!
//! Invariant: the bytes of a secret leave this crate only through [`Secret::write_new_file`] and through the
//! environment of a child process.

mod create;
mod error;
mod file;

pub use crate::protocol::secret::{KeyId, KeyIdError, Keys, Secret};
pub use error::SecretError;
