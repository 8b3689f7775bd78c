//! Events of connections, as a stream for logs and alarms.
//!
//! Invariant: the first reader receives the events from the start of the server or client, up to the
//! capacity.

use std::sync::{Mutex, PoisonError};

use tokio::sync::broadcast;

/// The maximum number of events that are kept for a slow reader.
const CAPACITY: usize = 256;

/// Sends events to all readers.
#[derive(Debug)]
pub(crate) struct EventSender<E> {
    sender: broadcast::Sender<E>,
    /// The receiver for the first reader. It exists from the start, so that no event is lost.
    first: Mutex<Option<broadcast::Receiver<E>>>,
}

impl<E: Clone> EventSender<E> {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = broadcast::channel(CAPACITY);
        Self { sender, first: Mutex::new(Some(receiver)) }
    }

    pub(crate) fn send(&self, event: E) {
        let _no_reader = self.sender.send(event);
    }

    /// The events from now on; for the first reader, from the start.
    pub(crate) fn events(&self) -> Events<E> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let receiver = first.unwrap_or_else(|| self.sender.subscribe());
        Events { receiver, missed: 0 }
    }
}

/// The events of a server or client. The first reader receives them from the start, every other reader from
/// the moment of its creation.
#[derive(Debug)]
pub struct Events<E> {
    receiver: broadcast::Receiver<E>,
    missed: u64,
}

impl<E: Clone> Events<E> {
    /// Waits for the next event. Returns `None` when the server or client no longer exists.
    pub async fn next(&mut self) -> Option<E> {
        loop {
            match self.receiver.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(count)) => self.missed += count,
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// The number of events that this reader has lost because it was too slow. Up to 256 events wait for it.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }
}
