//! How the connection of a link opens, is lost and closes, and how tasks wait for that.
//!
//! Invariants: every change of the phase is reported through the status; a closed link stays closed.

use tokio::sync::watch;

use super::goodbye::{GoodbyeCode, Shutdown};
use super::link::Link;
use super::meter;
use super::opening::Opening;
use super::status::{OnClose, OnCloseId, Phase, Status};
use crate::error::CloseReason;

impl Link {
    /// Opens an authenticated connection: the schemas are compared if they differ, then calls are sent,
    /// queued ones first. Returns the connection's epoch; `None` if the link was closed in the meantime.
    pub(super) fn open(&self, opening: Opening<'_>) -> Option<u32> {
        let mut guard = self.update();
        let (state, wakers) = (&mut guard.state, &mut guard.wakers);
        if matches!(state.phase, Phase::Closed(_)) {
            return None;
        }
        let epoch = state.epoch;
        state.phase = Phase::Open;
        state.counts.open();
        state.start_comparison(&opening, self.settings.compatibility);
        state.stream = Some(opening.stream);
        state.information = Some(opening.information);
        state.peer_limits = opening.peer_limits;
        state.oneway_credit = opening.peer_limits.oneway_window;
        state.send_queued(&self.settings, wakers);
        if state.shutdown == Shutdown::Requested {
            state.announce_shutdown(wakers);
        }
        let wakers = guard.unlock();
        meter::connection_opened(self.side);
        self.report_open();
        drop(wakers);
        Some(epoch)
    }

    /// The connection is gone, or an attempt to connect failed. Sent calls end with the outcome that is
    /// known. Queued calls wait for the next connection, unless they fail fast.
    pub(crate) fn lost(&self, reason: &CloseReason) {
        let mut handlers = Vec::new();
        let mut guard = self.update();
        let (state, wakers) = (&mut guard.state, &mut guard.wakers);
        if matches!(state.phase, Phase::Closed(_)) {
            return;
        }
        state.phase = Phase::Connecting;
        let bytes = state.reset_connection(reason, &self.settings, wakers, &mut handlers);
        state.end_fail_fast(reason, wakers);
        state.last_loss = Some(reason.clone());
        let wakers = guard.unlock();
        self.count_end(bytes);
        self.set_status(Status::Connecting);
        handlers.into_iter().for_each(|handler| handler.abort());
        drop(wakers);
    }

    /// Closes the link for good.
    pub(crate) fn close(&self, reason: &CloseReason) {
        let mut handlers = Vec::new();
        let mut guard = self.update();
        let (state, wakers) = (&mut guard.state, &mut guard.wakers);
        if matches!(state.phase, Phase::Closed(_)) {
            return;
        }
        let is_over_socket = state.stream.as_ref().is_some_and(|stream| stream.is_over_socket());
        if *reason == CloseReason::ClosedLocally && is_over_socket && !state.output.is_taken {
            // An attempt to inform the peer, which otherwise treats this as a connection loss.
            state.queue_goodbye(GoodbyeCode::Closed, "");
            state.write_now();
        }
        state.phase = Phase::Closed(reason.clone());
        let bytes = state.reset_connection(reason, &self.settings, wakers, &mut handlers);
        state.end_queue(reason, wakers);
        wakers.extend(state.queue.take_waiters());
        wakers.extend(state.driver.take());
        let callbacks = state.on_close.take_all();
        let wakers = guard.unlock();
        self.count_end(bytes);
        self.set_status(Status::Closed(reason.clone()));
        callbacks.for_each(|callback| callback());
        handlers.into_iter().for_each(|handler| handler.abort());
        drop(wakers);
    }

    /// Counts the end of a connection, if there was one. Not called under the lock, because the recorder is
    /// the program's.
    fn count_end(&self, bytes: Option<(u64, u64)>) {
        if let Some(bytes) = bytes {
            meter::connection_closed(self.side, bytes);
        }
    }

    /// Calls a function when the link is closed for good. If it is closed already, calls the function now and
    /// returns `None`.
    pub(crate) fn on_close(&self, callback: OnClose) -> Option<OnCloseId> {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Closed(_)) {
            drop(state);
            callback();
            return None;
        }
        Some(state.on_close.add(callback))
    }

    /// Removes a function that [`Self::on_close`] has registered.
    pub(crate) fn remove_on_close(&self, id: OnCloseId) {
        let callback = self.lock().on_close.remove(id);
        // Not dropped under the lock: it may own the last handle of something.
        drop(callback);
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Whether there is an authenticated connection whose schemas are compared.
    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.status(), Status::Open | Status::Draining)
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.status(), Status::Closed(_))
    }

    /// Whether calls can be sent.
    pub(crate) fn is_usable(&self) -> bool {
        matches!(*self.status.borrow(), Status::Open)
    }

    pub(super) fn set_status(&self, status: Status) {
        self.set_status_if(status, |_| true);
    }

    /// Changes the status if the current one meets a condition and is not `Closed`.
    pub(super) fn set_status_if(&self, new: Status, condition: impl FnOnce(&Status) -> bool) {
        self.status.send_if_modified(|status| {
            let changes = !matches!(status, Status::Closed(_)) && condition(status);
            if changes {
                *status = new;
            }
            changes
        });
    }

    /// Waits until the link is open or closed.
    ///
    /// # Errors
    /// Why the link is closed.
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

    /// Waits until calls can be sent. Unlike [`Self::ready`] it waits for the next connection while this one
    /// drains.
    ///
    /// # Errors
    /// Why the link is closed.
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

    /// Waits until the link is closed for good.
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
