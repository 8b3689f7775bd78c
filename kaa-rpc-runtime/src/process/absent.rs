//! Stands for `process.rs` where the feature `process` is off: there is no child process, as its type says.

use crate::error::CloseReason;

/// A child process that has a connection: none.
#[derive(Debug)]
pub(crate) enum Kept {}

impl Kept {
    pub(crate) async fn explain(&self, _reason: CloseReason) -> CloseReason {
        match *self {}
    }
}
