//! Where a connection comes from, if not from the listener.

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use crate::error::{CloseReason, ConnectError};
use crate::peer::Peer;
use crate::process::ChildGuard;
use crate::secret::Keys;

/// The result of connecting, once it is known.
pub(super) type ConnectResult = Option<Result<Peer, ConnectError>>;

/// The origin of a connection. By default it is the listener or [`Server::accept`](crate::Server::accept).
#[derive(Debug, Default)]
pub(super) struct Origin {
    /// The keys of a child process, which replace the server's.
    pub(super) keys: Option<Arc<Keys>>,
    /// The child process at the other end, if there is one.
    child: ChildGuard,
    /// Receives the result of connecting.
    result: Option<watch::Sender<ConnectResult>>,
}

impl Origin {
    /// A child process with a secret that only it has.
    #[cfg(feature = "process")]
    pub(super) fn child(
        secret: crate::secret::Secret,
        child: ChildGuard,
    ) -> (Self, watch::Receiver<ConnectResult>) {
        let (sender, result) = watch::channel(None);
        (Self { keys: Some(Arc::new(secret.into())), child, result: Some(sender) }, result)
    }

    /// A child belongs to this server as long as it runs: it cannot reconnect to another one.
    pub(super) fn is_child(&self) -> bool {
        self.keys.is_some()
    }

    /// Reports the result of connecting. Only the first call has an effect.
    pub(super) fn report(&mut self, connected: Result<Peer, ConnectError>) {
        if let Some(result) = self.result.take() {
            result.send_replace(Some(connected));
        }
    }

    /// Adds the child's exit status to the reason, if the end of the child ended the connection.
    pub(super) async fn explain(&self, reason: CloseReason) -> CloseReason {
        self.child.explain(reason).await
    }

    pub(super) async fn explain_error(&self, error: io::Error) -> Arc<io::Error> {
        let error = Arc::new(error);
        match self.explain(CloseReason::NotConnected(ConnectError::Io(Arc::clone(&error)))).await {
            CloseReason::NotConnected(ConnectError::Io(explained)) => explained,
            _ => error,
        }
    }
}
