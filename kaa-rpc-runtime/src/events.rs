//! What happens to connections, as a stream for logs and alarms.
//!
//! Invariant: what happens before anybody asks is kept for the first who does, as far as there is room.

use std::sync::{Mutex, PoisonError};

use tokio::sync::broadcast;

/// Events that are kept for a slow reader.
const KEPT: usize = 256;

/// Where events are told.
#[derive(Debug)]
pub(crate) struct EventSender<E> {
    sender: broadcast::Sender<E>,
    /// For the first who asks.
    first: Mutex<Option<broadcast::Receiver<E>>>,
}

impl<E: Clone> EventSender<E> {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = broadcast::channel(KEPT);
        Self { sender, first: Mutex::new(Some(receiver)) }
    }

    /// Tells those who listen, if anybody does.
    pub(crate) fn tell(&self, event: E) {
        let _unheard = self.sender.send(event);
    }

    /// The events from now on; for the first who asks, from the beginning.
    pub(crate) fn events(&self) -> Events<E> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let receiver = first.unwrap_or_else(|| self.sender.subscribe());
        Events { receiver, missed: 0 }
    }
}

/// The events of a server or client. The first who asks for them is told those from the beginning, everybody else those
/// from then on.
#[derive(Debug)]
pub struct Events<E> {
    receiver: broadcast::Receiver<E>,
    missed: u64,
}

impl<E: Clone> Events<E> {
    /// The next event; `None` when the server or client is gone.
    pub async fn next(&mut self) -> Option<E> {
        loop {
            match self.receiver.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(count)) => self.missed += count,
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// Events lost because they were not taken in time: the last 256 are kept.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }
}
