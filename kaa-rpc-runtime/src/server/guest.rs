//! A connection that did not come from the listener.

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

use crate::error::{CloseReason, ConnectError};
use crate::peer::Peer;
use crate::process::Kept;
use crate::secret::{Keys, Secret};

/// What became of a connection, once that is known.
pub(super) type Arrival = Option<Result<Peer, ConnectError>>;

/// What is particular about a connection. By default nothing is.
#[derive(Debug, Default)]
pub(super) struct Guest {
    /// The only keys that let it in, in place of the server's.
    pub(super) keys: Option<Arc<Keys>>,
    /// The child process at its other end.
    child: Option<Kept>,
    /// Who waits for it.
    arrival: Option<watch::Sender<Arrival>>,
}

impl Guest {
    /// A child process with a secret of its own.
    #[cfg_attr(not(feature = "process"), expect(dead_code, reason = "there are no child processes"))]
    pub(super) fn child(secret: Secret, child: Kept) -> (Self, watch::Receiver<Arrival>) {
        let (sender, arrival) = watch::channel(None);
        (Self { keys: Some(Arc::new(secret.into())), child: Some(child), arrival: Some(sender) }, arrival)
    }

    /// A child is this server's for as long as it lives: it has no other to go to.
    pub(super) fn is_child(&self) -> bool {
        self.child.is_some()
    }

    /// Tells who waits for it; the first word counts.
    pub(super) fn tell(&mut self, arrived: Result<Peer, ConnectError>) {
        if let Some(arrival) = self.arrival.take() {
            arrival.send_replace(Some(arrived));
        }
    }

    /// The end of the connection, with how its child process ended, if that is what ended it.
    pub(super) async fn explain(&self, reason: CloseReason) -> CloseReason {
        match &self.child {
            Some(child) => child.explain(reason).await,
            None => reason,
        }
    }

    pub(super) async fn explain_error(&self, error: io::Error) -> Arc<io::Error> {
        let error = Arc::new(error);
        match self.explain(CloseReason::NotConnected(ConnectError::Io(Arc::clone(&error)))).await {
            CloseReason::NotConnected(ConnectError::Io(explained)) => explained,
            _ => error,
        }
    }
}
