//! Ties a child process to its connection.

use crate::error::CloseReason;

#[cfg(feature = "process")]
use super::child::Process;

/// The child process at the other end of a connection, if there is one. Dropping the guard gives the child a
/// few seconds to exit.
#[derive(Debug, Default)]
pub(crate) struct ChildGuard {
    #[cfg(feature = "process")]
    process: Option<Process>,
}

impl ChildGuard {
    /// Adds the child's exit status to the reason, if the end of the child ended the connection.
    pub(crate) async fn explain(&self, reason: CloseReason) -> CloseReason {
        #[cfg(feature = "process")]
        if let Some(process) = &self.process {
            return process.explain(reason).await;
        }
        reason
    }
}

#[cfg(feature = "process")]
impl ChildGuard {
    pub(crate) fn new(process: Process) -> Self {
        Self { process: Some(process) }
    }
}

#[cfg(feature = "process")]
impl Drop for ChildGuard {
    fn drop(&mut self) {
        if let Some(process) = &self.process {
            process.request_exit();
        }
    }
}
