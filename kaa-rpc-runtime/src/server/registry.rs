//! The living connections of a server.
//!
//! Invariant: a reader of [`Peers`] is given every connection that is open when it begins to read or opens after that,
//! each once, oldest first, also one that was gone again before the reader came to it (of those, the last 1,024).

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
    /// All of them, with the key of the server's by which they came in.
    links: BTreeMap<u64, (Arc<Link>, Option<KeyId>)>,
    /// Those that are open, in the order in which they opened: numbered among all.
    open: BTreeMap<u64, Arc<Link>>,
    readers: Vec<Waker>,
    /// Where each reader is, by its own number.
    positions: BTreeMap<u64, u64>,
    /// Those of `open` that are gone and that some reader has not come to.
    departed: VecDeque<u64>,
    over: bool,
}

/// Connections that are kept for slow readers.
const MOST_DEPARTED: usize = 1024;

impl State {
    /// Keeps no more of what is gone than readers may still want.
    fn prune(&mut self) {
        let slowest = self.positions.values().min().copied().unwrap_or(u64::MAX);
        while let Some(&number) = self.departed.front()
            && (number < slowest || self.departed.len() > MOST_DEPARTED)
        {
            self.departed.pop_front();
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
            // They leave in any order, and are kept in the order in which they came.
            let place = state.departed.partition_point(|number| *number < announced);
            state.departed.insert(place, announced);
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
    reader: u64,
    next: u64,
}

impl Peers {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        let (reader, next) = {
            let mut state = registry.lock();
            let reader = state.next;
            state.next += 1;
            // What is gone already is not for this reader.
            let departed = std::mem::take(&mut state.departed);
            let next = state.open.keys().find(|number| !departed.contains(number)).copied();
            state.departed = departed;
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
        if state.over {
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
    fn a_peer_that_is_gone_before_it_is_read_is_still_given_once() {
        let registry = Arc::new(Registry::default());
        let gone = registry.announce(link());
        registry.remove(0, Some(gone));
        let mut peers = Peers::new(Arc::clone(&registry));
        assert!(poll(&mut peers).is_pending(), "gone before anybody asked");
        for _ in 0..3 {
            let number = registry.announce(link());
            registry.remove(0, Some(number));
        }
        for _ in 0..3 {
            assert!(matches!(poll(&mut peers), Poll::Ready(Some(_))));
        }
        assert!(poll(&mut peers).is_pending());
        assert!(registry.lock().open.is_empty(), "nothing is kept that all have read");
    }

    #[test]
    fn no_more_is_kept_than_the_bound_and_nothing_without_readers() {
        let registry = Arc::new(Registry::default());
        let peers = Peers::new(Arc::clone(&registry));
        for _ in 0..MOST_DEPARTED + 10 {
            let number = registry.announce(link());
            registry.remove(0, Some(number));
        }
        assert_eq!(registry.lock().open.len(), MOST_DEPARTED);
        drop(peers);
        assert!(registry.lock().open.is_empty());
    }
}
