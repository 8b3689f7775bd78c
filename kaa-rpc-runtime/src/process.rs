//! Child processes that are peers: whoever looks after one, and how it ended.
//!
//! Invariants: a child ends with its connection, by itself within [`GRACE`] or by being killed; it is waited for, so that
//! no zombie is left; it does not outlive the runtime that looks after it.

use std::fmt;
use std::future::pending;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::watch;

use crate::error::{CloseReason, ConnectError, ProcessEnded};

/// How long a child may go on when its connection is over.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait for the end of a child whose connection has broken off. One that died is gone in no time.
const EXPLANATION_TIME: Duration = Duration::from_secs(1);

/// A child process at the other end of a connection, as its host sees it. Clones mean the same child.
///
/// Dropping it changes nothing: the child ends with its connection. It has five seconds to do so by itself, then it is
/// killed. It is also killed when the tokio runtime of its host ends.
#[derive(Clone)]
pub struct Process {
    pid: u32,
    ended: watch::Receiver<Option<ExitStatus>>,
    order: Arc<watch::Sender<Order>>,
}

/// What a child is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Run,
    /// Soon, by itself.
    End,
    Die,
}

impl Process {
    /// Its process id. Once it has ended, the system may give the number to another process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until it has ended, and tells how; `None` where the system does not say.
    pub async fn ended(&self) -> Option<ExitStatus> {
        let mut ended = self.ended.clone();
        // It fails where nobody waits for the child any more.
        ended.wait_for(Option::is_some).await.ok().and_then(|status| *status)
    }

    /// How it ended; `None` while it runs, and where the system does not say.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        *self.ended.borrow()
    }

    /// Kills it, as the signal `SIGKILL` does. Its connection is lost; a client that connects again starts another.
    pub fn kill(&self) {
        self.order(Order::Die);
    }

    fn order(&self, order: Order) {
        self.order.send_if_modified(|current| {
            let is_news = order > *current;
            if is_news {
                *current = order;
            }
            is_news
        });
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

/// A child for as long as it has its connection: dropped, it is the child's time to end.
#[derive(Debug)]
pub(crate) struct Kept {
    process: Process,
}

impl Kept {
    /// Looks after a child from now on. Must be called within a runtime.
    pub(crate) fn new(child: Child) -> Self {
        let pid = child.id().unwrap_or_default();
        let (ended_sender, ended) = watch::channel(None);
        let (order, orders) = watch::channel(Order::Run);
        tokio::spawn(look_after(child, orders, ended_sender));
        Self { process: Process { pid, ended, order: Arc::new(order) } }
    }

    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// The end of its connection, with how the child ended, if that is what ended it.
    pub(crate) async fn explain(&self, reason: CloseReason) -> CloseReason {
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
        let Ok(Some(status)) = tokio::time::timeout(EXPLANATION_TIME, self.process.ended()).await else {
            return error;
        };
        let kind = error.map_or(io::ErrorKind::UnexpectedEof, |error| error.kind());
        Some(Arc::new(io::Error::new(kind, ProcessEnded { pid: self.process.pid, status })))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.process.order(Order::End);
    }
}

async fn look_after(
    mut child: Child,
    orders: watch::Receiver<Order>,
    ended: watch::Sender<Option<ExitStatus>>,
) {
    let status = tokio::select! {
        biased;
        status = child.wait() => status,
        () = ordered(orders.clone(), Order::Die) => kill(&mut child).await,
        () = async {
            ordered(orders, Order::End).await;
            tokio::time::sleep(GRACE).await;
        } => kill(&mut child).await,
    };
    match status {
        Ok(status) => {
            ended.send_replace(Some(status));
        }
        Err(error) => tracing::warn!(%error, "the system does not say how a child process ended"),
    }
}

async fn ordered(mut orders: watch::Receiver<Order>, order: Order) {
    if orders.wait_for(|current| *current >= order).await.is_err() {
        pending::<()>().await;
    }
}

async fn kill(child: &mut Child) -> io::Result<ExitStatus> {
    // It fails where the child has ended already.
    let _ended = child.start_kill();
    child.wait().await
}
