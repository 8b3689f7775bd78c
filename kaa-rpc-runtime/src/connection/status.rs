//! What a link does at present: in detail for the link itself, in brief for those who wait for it.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::CloseReason;

/// Which side of a connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    Accepting,
    Connecting,
}

/// The connection as the link itself sees it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Connecting,
    Open,
    /// The peer has sent a goodbye, with this reason. It accepts nested calls only.
    PeerDraining(CloseReason),
    Closed(CloseReason),
}

/// The connection as tasks that wait for a change see it.
#[derive(Debug, Clone)]
pub(crate) enum Status {
    /// Connecting or authenticating, for the first time or again.
    Connecting,
    /// Calls are sent at once.
    Open,
    /// One side has sent a goodbye.
    Draining,
    /// Closed for good.
    Closed(CloseReason),
}

/// A function that runs when the link is closed for good.
pub(crate) type OnClose = Box<dyn FnOnce() + Send>;

/// Identifies a registered [`OnClose`] function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct OnCloseId(u64);

/// The functions that run when the link is closed for good.
#[derive(Default)]
pub(super) struct OnCloseCallbacks {
    callbacks: BTreeMap<OnCloseId, OnClose>,
    next: u64,
}

impl OnCloseCallbacks {
    pub(super) fn add(&mut self, callback: OnClose) -> OnCloseId {
        let id = OnCloseId(self.next);
        self.next += 1;
        self.callbacks.insert(id, callback);
        id
    }

    pub(super) fn remove(&mut self, id: OnCloseId) -> Option<OnClose> {
        self.callbacks.remove(&id)
    }

    /// Removes all, in the order in which they were added.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = OnClose> + use<> {
        std::mem::take(&mut self.callbacks).into_values()
    }
}

impl fmt::Debug for OnCloseCallbacks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OnCloseCallbacks")
            .field("callbacks", &self.callbacks.len())
            .finish_non_exhaustive()
    }
}
