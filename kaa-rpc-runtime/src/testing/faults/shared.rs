//! The state that [`Faults`](super::Faults) and all streams that it has wrapped share.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::settings::{Cut, Direction, Settings};

#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) outgoing: Settings,
    pub(super) incoming: Settings,
    pub(super) connections: Connections,
}

impl State {
    pub(super) fn settings(&mut self, direction: Direction) -> &mut Settings {
        match direction {
            Direction::Outgoing => &mut self.outgoing,
            Direction::Incoming => &mut self.incoming,
        }
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, then wakes all waiting streams.
    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        let wakers = {
            let mut state = self.lock();
            change(&mut state);
            state.connections.take_wakers()
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// The wrapped connections.
#[derive(Default)]
pub(super) struct Connections {
    next: u64,
    open: BTreeMap<u64, Connection>,
}

#[derive(Default)]
pub(super) struct Connection {
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
    pub(super) cut: Option<Cut>,
}

impl Connections {
    /// Adds a connection and returns its number.
    pub(super) fn add(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        self.open.insert(number, Connection::default());
        number
    }

    pub(super) fn by_number(&mut self, number: u64) -> Option<&mut Connection> {
        self.open.get_mut(&number)
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.open.remove(&number);
    }

    /// The number of connections that are not cut.
    pub(super) fn len(&self) -> usize {
        self.open.values().filter(|connection| connection.cut.is_none()).count()
    }

    pub(super) fn cut_all(&mut self, how: Cut) {
        for connection in self.open.values_mut() {
            connection.cut.get_or_insert(how);
        }
    }

    fn take_wakers(&mut self) -> Vec<Waker> {
        let wakers = |connection: &mut Connection| [connection.reader.take(), connection.writer.take()];
        self.open.values_mut().flat_map(wakers).flatten().collect()
    }
}
