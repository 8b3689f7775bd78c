//! A link: the handle by which callers, handlers and the driver share a connection, and its successors when a
//! client reconnects.
//!
//! Invariants: there is one lock; tasks are woken after it is released.

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Waker;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::executor::DetachedHandlers;
use super::guard::{self, Guard};
use super::observer::{Direction, Observer};
use super::opening::PeerInformation;
use super::state::State;
use super::statistics::ConnectionStatistics;
use super::status::{Side, Status};
use crate::settings::Settings;

/// What a link is created with, besides its settings.
pub(crate) struct LinkContext {
    pub(crate) side: Side,
    /// Whether another connection follows a lost one.
    pub(crate) reconnects: bool,
    pub(crate) detached: DetachedHandlers,
    /// The runtime of the connection's tasks.
    pub(crate) runtime: Handle,
    pub(crate) observer: Arc<dyn Observer<Link>>,
}

impl LinkContext {
    /// A link that does not reconnect, without detached handlers of other links.
    pub(crate) fn new(side: Side, runtime: Handle, observer: Arc<dyn Observer<Link>>) -> Self {
        Self { side, reconnects: false, detached: DetachedHandlers::default(), runtime, observer }
    }
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) settings: Settings,
    pub(crate) side: Side,
    pub(crate) detached: DetachedHandlers,
    /// The runtime of the connection's tasks.
    pub(crate) runtime: Handle,
    pub(crate) observer: Arc<dyn Observer<Link>>,
    observes_outbound: bool,
    observes_inbound: bool,
    state: Mutex<State>,
    pub(super) status: watch::Sender<Status>,
}

/// The locked state of a link, and the tasks to wake when it is unlocked.
pub(super) type StateGuard<'a> = Guard<'a, State>;

impl Link {
    pub(crate) fn new(settings: Settings, context: LinkContext) -> Arc<Self> {
        let LinkContext { side, reconnects, detached, runtime, observer } = context;
        let (status, _) = watch::channel(Status::Connecting);
        Arc::new(Self {
            state: Mutex::new(State::new(&settings, reconnects)),
            settings,
            side,
            detached,
            runtime,
            observes_outbound: observer.observes(Direction::Outbound),
            observes_inbound: observer.observes(Direction::Inbound),
            observer,
            status,
        })
    }

    /// Locks the state, to read it or to change it without waking a task.
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        guard::lock(&self.state)
    }

    /// Locks the state for a change that wakes tasks.
    #[inline]
    pub(super) fn update(&self) -> StateGuard<'_> {
        Guard::new(&self.state)
    }

    /// Whether the program observes calls of this direction.
    #[inline]
    pub(crate) fn observes(&self, direction: Direction) -> bool {
        match direction {
            Direction::Outbound => self.observes_outbound,
            Direction::Inbound => self.observes_inbound,
        }
    }

    pub(crate) fn information(&self) -> Option<Arc<PeerInformation>> {
        self.lock().information.clone()
    }

    pub(crate) fn statistics(&self) -> ConnectionStatistics {
        self.lock().statistics()
    }

    pub(crate) fn reconnects(&self) -> bool {
        self.lock().reconnects
    }

    /// The largest frame that the peer accepts, as far as it is known now.
    pub(crate) fn frame_limit(&self) -> usize {
        self.lock().frame_limit()
    }

    /// Running handlers, without those that finish at their first poll.
    pub(crate) fn running_handlers(&self) -> usize {
        self.lock().incoming.running_count()
    }

    /// The running handlers that would end with the connection.
    pub(crate) fn attached_handlers(&self) -> usize {
        self.lock().incoming.each_running().filter(|handler| !handler.is_detached()).count()
    }

    /// Whether there is an authenticated connection. Its schemas may not be compared yet.
    pub(crate) fn has_connection(&self) -> bool {
        self.lock().stream.is_some()
    }

    /// The services of this side have changed. Wakes the driver, which synchronizes with them.
    pub(crate) fn services_changed(&self) {
        let driver = self.lock().driver.clone();
        driver.into_iter().for_each(Waker::wake);
    }
}
