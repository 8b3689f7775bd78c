//! The living connections of a server.
//!
//! Invariant: a reader of [`Peers`] is given every connection that lives and is open when it asks, each once, oldest
//! first; there is no queue that could grow.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use crate::connection::Link;
use crate::peer::Peer;

#[derive(Debug, Default)]
pub(super) struct Registry {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// All of them.
    links: BTreeMap<u64, Arc<Link>>,
    /// Those that are open, in the order in which they opened: numbered among all.
    open: BTreeMap<u64, Arc<Link>>,
    readers: Vec<Waker>,
    over: bool,
}

impl Registry {
    pub(super) fn add(&self, link: Arc<Link>) -> u64 {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.links.insert(number, link);
        number
    }

    /// The connection is open: readers are given it from now on.
    pub(super) fn announce(&self, link: Arc<Link>) -> u64 {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.open.insert(number, link);
        let readers = std::mem::take(&mut state.readers);
        drop(state);
        readers.into_iter().for_each(Waker::wake);
        number
    }

    pub(super) fn remove(&self, number: u64, announced: Option<u64>) {
        let mut state = self.lock();
        state.links.remove(&number);
        if let Some(announced) = announced {
            state.open.remove(&announced);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().links.len()
    }

    pub(super) fn links(&self) -> Vec<Arc<Link>> {
        self.lock().links.values().cloned().collect()
    }

    /// No more connections will come.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.over = true;
        let readers = std::mem::take(&mut state.readers);
        drop(state);
        readers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The peers of a server: those that are connected, then each new one when it has proved the secret and its schema fits.
/// A stream; it ends when the server is shut down.
pub struct Peers {
    registry: Arc<Registry>,
    next: u64,
}

impl Peers {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        Self { registry, next: 0 }
    }

    /// The next peer; `None` when the server is shut down.
    pub async fn next(&mut self) -> Option<Peer> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Peer>> {
        let mut state = self.registry.lock();
        if let Some((number, link)) = state.open.range(self.next..).next() {
            self.next = number + 1;
            return Poll::Ready(Some(Peer::of_link(Arc::clone(link))));
        }
        if state.over {
            return Poll::Ready(None);
        }
        if !state.readers.iter().any(|reader| reader.will_wake(context.waker())) {
            state.readers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Stream for Peers {
    type Item = Peer;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Peer>> {
        self.poll(context)
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Peers").field("next", &self.next).finish_non_exhaustive()
    }
}
