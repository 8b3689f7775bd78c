//! What a link is doing, as others see it and wait for it.
//!
//! Invariant: a link that is closed stays so, whoever else is about to speak.

use tokio::sync::watch;

use super::link::Link;
use crate::error::CloseReason;

/// What a link is doing.
#[derive(Debug, Clone)]
pub(crate) enum Status {
    /// Connecting or authenticating, for the first time or again.
    Connecting,
    /// Calls leave at once.
    Open,
    /// One side has said goodbye.
    Draining,
    /// Over for good.
    Closed(CloseReason),
}

impl Link {
    pub(crate) fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Whether there is an authenticated connection.
    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.status(), Status::Open | Status::Draining)
    }

    /// Whether it is over for good.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.status(), Status::Closed(_))
    }

    /// Tells a new status. A link that is closed stays so, whoever else is about to speak.
    pub(super) fn tell(&self, status: Status) {
        self.tell_if(status, |_| true);
    }

    pub(super) fn tell_if(&self, new: Status, condition: impl FnOnce(&Status) -> bool) {
        self.status.send_if_modified(|status| {
            let may = !matches!(status, Status::Closed(_)) && condition(status);
            if may {
                *status = new;
            }
            may
        });
    }

    /// Waits until the link is open, or over.
    ///
    /// # Errors
    /// Why it never opened, or is over.
    pub(crate) async fn ready(&self) -> Result<(), CloseReason> {
        let mut watch = self.watch();
        loop {
            match &*watch.borrow_and_update() {
                Status::Open | Status::Draining => return Ok(()),
                Status::Closed(reason) => return Err(reason.clone()),
                Status::Connecting => {}
            }
            if watch.changed().await.is_err() {
                return Err(CloseReason::ClosedLocally);
            }
        }
    }

    /// Whether calls can leave.
    pub(crate) fn is_usable(&self) -> bool {
        matches!(*self.status.borrow(), Status::Open)
    }

    /// Waits until calls can leave; unlike [`Self::ready`] it waits through a farewell for the next connection.
    ///
    /// # Errors
    /// Why none ever will.
    #[cfg(feature = "tower")]
    pub(crate) async fn usable(&self) -> Result<(), CloseReason> {
        let mut watch = self.watch();
        let status = watch.wait_for(|status| matches!(status, Status::Open | Status::Closed(_))).await;
        match status.as_deref() {
            Ok(Status::Closed(reason)) => Err(reason.clone()),
            Ok(_) => Ok(()),
            Err(_gone) => Err(CloseReason::ClosedLocally),
        }
    }

    /// Waits until the link is over for good.
    pub(crate) async fn closed(&self) -> CloseReason {
        let mut watch = self.watch();
        loop {
            if let Status::Closed(reason) = &*watch.borrow_and_update() {
                return reason.clone();
            }
            if watch.changed().await.is_err() {
                return CloseReason::ClosedLocally;
            }
        }
    }
}
