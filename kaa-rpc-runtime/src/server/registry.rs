//! The connections of a server.
//!
//! Invariant: a reader of [`Peers`] receives every connection that is open when the reader is created or that
//! opens later, each once, oldest first. It also receives connections that close before it reads them, up to
//! the last 1,024 of those.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use crate::connection::Link;
use crate::peer::Peer;
use crate::secret::KeyId;

#[derive(Debug, Default)]
pub(super) struct Registry {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// All connections, each with the key id with which it was authenticated, if the key is the server's.
    links: BTreeMap<u64, (Arc<Link>, Option<KeyId>)>,
    /// The open connections, in the order in which they opened. Their numbers come from the same sequence.
    open: BTreeMap<u64, Arc<Link>>,
    readers: Vec<Waker>,
    /// The next number for each reader, by the reader's own number.
    positions: BTreeMap<u64, u64>,
    /// The connections in `open` that have closed and that a reader has not read yet.
    closed: VecDeque<u64>,
    has_ended: bool,
}

/// The maximum number of closed connections that are kept for slow readers.
const MAX_CLOSED: usize = 1024;

impl State {
    /// Drops closed connections that every reader has read, and those over the limit.
    fn prune(&mut self) {
        let slowest = self.positions.values().min().copied().unwrap_or(u64::MAX);
        while let Some(&number) = self.closed.front()
            && (number < slowest || self.closed.len() > MAX_CLOSED)
        {
            self.closed.pop_front();
            self.open.remove(&number);
        }
    }
}

impl Registry {
    pub(super) fn add(&self, link: Arc<Link>, key_id: Option<KeyId>) -> u64 {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.links.insert(number, (link, key_id));
        number
    }

    /// Makes an open connection visible to readers.
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
            // Connections close in any order; the queue has the order in which they opened.
            let index = state.closed.partition_point(|number| *number < announced);
            state.closed.insert(index, announced);
            state.prune();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().links.len()
    }

    pub(super) fn links(&self) -> Vec<Arc<Link>> {
        self.lock().links.values().map(|(link, _)| Arc::clone(link)).collect()
    }

    pub(super) fn links_by_key(&self, wanted: &KeyId) -> Vec<Arc<Link>> {
        let state = self.lock();
        let wanted = state.links.values().filter(|(_, key_id)| key_id.as_ref() == Some(wanted));
        wanted.map(|(link, _)| Arc::clone(link)).collect()
    }

    /// Ends the streams of all readers: no more connections will open.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.has_ended = true;
        let readers = std::mem::take(&mut state.readers);
        drop(state);
        readers.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream of a server's peers: those that are connected, then each new one when it has proved the secret
/// and its schemas are compatible. It ends when the server is shut down.
pub struct Peers {
    registry: Arc<Registry>,
    reader: u64,
    next: u64,
}

impl Peers {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        let (reader, next) = {
            let mut state = registry.lock();
            let reader = state.next;
            state.next += 1;
            // A new reader does not receive connections that have already closed.
            let closed = std::mem::take(&mut state.closed);
            let next = state.open.keys().find(|number| !closed.contains(number)).copied();
            state.closed = closed;
            let next = next.unwrap_or(reader);
            state.positions.insert(reader, next);
            (reader, next)
        };
        Self { registry, reader, next }
    }

    /// The next peer; `None` when the server is shut down.
    pub async fn next(&mut self) -> Option<Peer> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Peer>> {
        let mut state = self.registry.lock();
        if let Some((&number, link)) = state.open.range(self.next..).next() {
            let peer = Peer::of_link(Arc::clone(link));
            self.next = number + 1;
            state.positions.insert(self.reader, self.next);
            state.prune();
            return Poll::Ready(Some(peer));
        }
        if state.has_ended {
            return Poll::Ready(None);
        }
        if !state.readers.iter().any(|reader| reader.will_wake(context.waker())) {
            state.readers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        let mut state = self.registry.lock();
        state.positions.remove(&self.reader);
        state.prune();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::{LinkContext, Side};
    use crate::observe::Observers;
    use crate::settings::Settings;

    fn link() -> Arc<Link> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let observer = Observers::default().into_observer();
        let context = LinkContext::new(Side::Accepting, runtime.handle().clone(), observer);
        Link::new(Settings::default(), context)
    }

    fn poll(peers: &mut Peers) -> Poll<Option<Peer>> {
        peers.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn closed_peer_is_still_read_once() {
        let registry = Arc::new(Registry::default());
        let closed = registry.announce(link());
        registry.remove(0, Some(closed));
        let mut peers = Peers::new(Arc::clone(&registry));
        assert!(poll(&mut peers).is_pending(), "it closed before the reader was created");
        for _ in 0..3 {
            let number = registry.announce(link());
            registry.remove(0, Some(number));
        }
        for _ in 0..3 {
            assert!(matches!(poll(&mut peers), Poll::Ready(Some(_))));
        }
        assert!(poll(&mut peers).is_pending());
        assert!(registry.lock().open.is_empty(), "peers that every reader has read are dropped");
    }

    #[test]
    fn closed_peers_are_kept_up_to_limit_and_not_without_readers() {
        let registry = Arc::new(Registry::default());
        let peers = Peers::new(Arc::clone(&registry));
        for _ in 0..MAX_CLOSED + 10 {
            let number = registry.announce(link());
            registry.remove(0, Some(number));
        }
        assert_eq!(registry.lock().open.len(), MAX_CLOSED);
        drop(peers);
        assert!(registry.lock().open.is_empty());
    }
}
