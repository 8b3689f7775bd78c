//! A supervised child process.
//!
//! Invariants:
//! - A child ends with its connection: it exits by itself within [`GRACE`], or it is killed.
//! - It is waited for, so it does not remain as a zombie.
//! - It does not outlive the tokio runtime that supervises it.

use std::fmt;
use std::future::pending;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::watch;

use crate::error::{CloseReason, ConnectError, ProcessEnded};

/// How long a child may keep running after its connection has ended.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait for the exit status of a child whose connection was lost. A child that has died reports
/// it at once.
const STATUS_TIMEOUT: Duration = Duration::from_secs(1);

/// A child process at the other end of a connection. Clones refer to the same child.
///
/// Dropping it has no effect: the child ends with its connection. It then has five seconds to exit before it
/// is killed. It is also killed when the tokio runtime of this process ends.
#[derive(Clone)]
pub struct Process {
    pid: u32,
    ended: watch::Receiver<Option<ExitStatus>>,
    request: Arc<watch::Sender<Request>>,
}

/// What the supervising task must do with the child. Requests only become stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Request {
    Run,
    /// The child should exit; after [`GRACE`] it is killed.
    Exit,
    Kill,
}

impl Process {
    /// Starts the task that supervises the child. Must be called within a tokio runtime.
    pub(crate) fn supervise(child: Child) -> Self {
        let pid = child.id().unwrap_or_default();
        let (ended_sender, ended) = watch::channel(None);
        let (request, requests) = watch::channel(Request::Run);
        tokio::spawn(supervise(child, requests, ended_sender));
        Self { pid, ended, request: Arc::new(request) }
    }

    /// The process id. After the child has exited, the operating system may assign the number to another
    /// process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until the child has exited. Returns its exit status, or `None` if the operating system does not
    /// report it.
    pub async fn ended(&self) -> Option<ExitStatus> {
        let mut ended = self.ended.clone();
        // The channel closes without a status if the supervising task fails to get one.
        ended.wait_for(Option::is_some).await.ok().and_then(|status| *status)
    }

    /// The exit status; `None` while the child runs, or if the operating system does not report it.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        *self.ended.borrow()
    }

    /// Kills the child with `SIGKILL`. Its connection is lost; a client that reconnects starts a new child.
    pub fn kill(&self) {
        self.request(Request::Kill);
    }

    /// Gives the child a few seconds to exit.
    pub(super) fn request_exit(&self) {
        self.request(Request::Exit);
    }

    fn request(&self, request: Request) {
        self.request.send_if_modified(|current| {
            let is_stronger = request > *current;
            if is_stronger {
                *current = request;
            }
            is_stronger
        });
    }

    /// Adds the child's exit status to the reason, if the end of the child ended the connection.
    pub(super) async fn explain(&self, reason: CloseReason) -> CloseReason {
        match reason {
            CloseReason::ConnectionLost(error) => {
                CloseReason::ConnectionLost(self.explain_error(error).await)
            }
            CloseReason::NotConnected(ConnectError::Io(error)) => {
                let explained = self.explain_error(Some(Arc::clone(&error))).await;
                CloseReason::NotConnected(ConnectError::Io(explained.unwrap_or(error)))
            }
            other => other,
        }
    }

    async fn explain_error(&self, error: Option<Arc<io::Error>>) -> Option<Arc<io::Error>> {
        let Ok(Some(status)) = tokio::time::timeout(STATUS_TIMEOUT, self.ended()).await else {
            return error;
        };
        let kind = error.map_or(io::ErrorKind::UnexpectedEof, |error| error.kind());
        Some(Arc::new(io::Error::new(kind, ProcessEnded { pid: self.pid, status })))
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Process")
            .field("pid", &self.pid)
            .field("exit_status", &self.exit_status())
            .finish_non_exhaustive()
    }
}

async fn supervise(
    mut child: Child,
    requests: watch::Receiver<Request>,
    ended: watch::Sender<Option<ExitStatus>>,
) {
    let status = tokio::select! {
        biased;
        status = child.wait() => status,
        () = requested(requests.clone(), Request::Kill) => kill(&mut child).await,
        () = async {
            requested(requests, Request::Exit).await;
            tokio::time::sleep(GRACE).await;
        } => kill(&mut child).await,
    };
    match status {
        Ok(status) => {
            ended.send_replace(Some(status));
        }
        Err(error) => tracing::warn!(%error, "cannot get the exit status of a child process"),
    }
}

async fn requested(mut requests: watch::Receiver<Request>, request: Request) {
    if requests.wait_for(|current| *current >= request).await.is_err() {
        pending::<()>().await;
    }
}

async fn kill(child: &mut Child) -> io::Result<ExitStatus> {
    // This fails if the child has already exited.
    let _ended = child.start_kill();
    child.wait().await
}
