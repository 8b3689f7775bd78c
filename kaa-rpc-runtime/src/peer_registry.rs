//! Peers by key: to call one of them, a certain one, or all.
//!
//! Invariant: a peer is in a registry from its insertion to its removal, its replacement, or the end of its connection,
//! whichever comes first; a registry keeps no connection open.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::task::JoinSet;

use crate::connection::OnCloseId;
use crate::peer::Proxy;
use crate::trace::TraceContext;

/// The peers that are connected, by a key of the program's own: a user, a device, a room. Clones are the same registry.
///
/// A handler inserts its caller; the registry lets go of it when the connection ends.
///
/// ```
/// # use kaa_rpc_runtime::{Context, Fault, PeerRegistry, Proxy};
/// struct Host<P: Proxy> {
///     guests: PeerRegistry<String, P>,
/// }
///
/// impl<P: Proxy> Host<P> {
///     async fn enter(&self, cx: Context<P>, name: String) -> Result<(), Fault> {
///         self.guests.try_insert(name, &cx.peer).map_err(|_guest| Fault::new("the name is taken"))
///     }
/// }
/// ```
pub struct PeerRegistry<K, P> {
    state: Arc<Mutex<State<K, P>>>,
}

struct State<K, P> {
    entries: BTreeMap<K, Entry<P>>,
    next_number: u64,
    /// The key that [`PeerRegistry::one`] gave last.
    last: Option<K>,
}

struct Entry<P> {
    number: u64,
    proxy: P,
    ticket: Option<OnCloseId>,
}

impl<K: Ord + Clone + Send + 'static, P: Proxy> PeerRegistry<K, P> {
    /// Without peers.
    #[must_use]
    pub fn new() -> Self {
        let state = State { entries: BTreeMap::new(), next_number: 0, last: None };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Inserts a peer, in place of the one that has the key now, which is returned. One whose connection is over is not
    /// inserted. Calls made through the registry do not belong to the call that the proxy came with.
    pub fn insert(&self, key: K, peer: &P) -> Option<P> {
        let proxy = P::from_peer(peer.peer().unbound().unowned());
        let (number, before) = self.lock().put(key.clone(), proxy.clone());
        self.watch(key, number, &proxy);
        before.map(Entry::release)
    }

    /// Inserts a peer if none has the key now; otherwise as [`PeerRegistry::insert`].
    ///
    /// # Errors
    /// The peer that has the key. It may be this one.
    pub fn try_insert(&self, key: K, peer: &P) -> Result<(), P> {
        let proxy = P::from_peer(peer.peer().unbound().unowned());
        let number = {
            let mut state = self.lock();
            if let Some(taken) = state.entries.get(&key) {
                return Err(taken.proxy.clone());
            }
            state.put(key.clone(), proxy.clone()).0
        };
        self.watch(key, number, &proxy);
        Ok(())
    }

    /// Lets go of a peer that was just inserted, when its connection ends.
    fn watch(&self, key: K, number: u64, proxy: &P) {
        let weak = Arc::downgrade(&self.state);
        let link = proxy.peer().link();
        let ticket = link.on_close({
            let key = key.clone();
            Box::new(move || forget(&weak, &key, number))
        });
        let is_there = match self.lock().entries.get_mut(&key).filter(|entry| entry.number == number) {
            Some(entry) => {
                entry.ticket = ticket;
                true
            }
            None => false,
        };
        // It was replaced or removed by somebody who did not find the ticket.
        if let Some(ticket) = ticket.filter(|_| !is_there) {
            link.remove_on_close(ticket);
        }
    }

    /// Takes a peer out.
    pub fn remove(&self, key: &K) -> Option<P> {
        let entry = self.lock().entries.remove(key);
        entry.map(Entry::release)
    }

    /// The peer with this key.
    #[must_use]
    pub fn by_key(&self, key: &K) -> Option<P> {
        self.lock().entries.get(key).map(|entry| entry.proxy.clone())
    }

    /// One of the peers, another each time: the next by key, then the first again. Those that take leave are passed over,
    /// if there are others.
    #[must_use]
    pub fn one(&self) -> Option<(K, P)> {
        let mut state = self.lock();
        let after = match &state.last {
            Some(last) => (Bound::Excluded(last), Bound::Unbounded),
            None => (Bound::Unbounded, Bound::Unbounded),
        };
        let mut turn = state.entries.range(after).chain(&state.entries);
        let next = turn.find(|(_, entry)| entry.proxy.peer().link().is_usable());
        let (key, proxy) = next
            .or_else(|| state.entries.iter().next())
            .map(|(key, entry)| (key.clone(), entry.proxy.clone()))?;
        state.last = Some(key.clone());
        Some((key, proxy))
    }

    /// All of them, by ascending keys.
    #[must_use]
    pub fn all(&self) -> Vec<(K, P)> {
        self.lock().entries.iter().map(|(key, entry)| (key.clone(), entry.proxy.clone())).collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes a call to all of them at the same time, and gives what came of each, in the order of keys. Give the call a
    /// timeout, so that one who does not answer does not hold the rest up for ever. Dropped, it gives up the calls that
    /// are unanswered.
    pub async fn call_all<F, R, T, E>(&self, call: F) -> Vec<(K, Result<T, E>)>
    where
        F: Fn(P) -> R,
        R: IntoFuture<Output = Result<T, E>>,
        R::IntoFuture: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        self.call_where(|_key| true, call).await
    }

    /// Makes a call to those whose keys are chosen, for instance all but the one who asks for it; otherwise as
    /// [`PeerRegistry::call_all`].
    pub async fn call_where<W, F, R, T, E>(&self, chosen: W, call: F) -> Vec<(K, Result<T, E>)>
    where
        W: Fn(&K) -> bool,
        F: Fn(P) -> R,
        R: IntoFuture<Output = Result<T, E>>,
        R::IntoFuture: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let trace = TraceContext::current();
        let mut calls = JoinSet::new();
        for (key, proxy) in self.all().into_iter().filter(|(key, _)| chosen(key)) {
            let made = call(proxy).into_future();
            let trace = trace.clone();
            calls.spawn(async move {
                let result = match trace {
                    Some(trace) => trace.scope(made).await,
                    None => made.await,
                };
                (key, result)
            });
        }
        let mut results = BTreeMap::new();
        while let Some(done) = calls.join_next().await {
            match done {
                Ok((key, result)) => results.insert(key, result),
                // A call does not panic; what the program has put around it may.
                Err(panicked) => match panicked.try_into_panic() {
                    Ok(payload) => std::panic::resume_unwind(payload),
                    Err(_cancelled) => continue,
                },
            };
        }
        results.into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State<K, P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord, P> State<K, P> {
    /// Puts a peer in: its number, and who was there.
    fn put(&mut self, key: K, proxy: P) -> (u64, Option<Entry<P>>) {
        let number = self.next_number;
        self.next_number += 1;
        (number, self.entries.insert(key, Entry { number, proxy, ticket: None }))
    }
}

impl<P: Proxy> Entry<P> {
    /// Its connection need not tell its end any more.
    fn release(self) -> P {
        if let Some(ticket) = self.ticket {
            self.proxy.peer().link().remove_on_close(ticket);
        }
        self.proxy
    }
}

/// The connection of an entry is over.
fn forget<K: Ord, P>(state: &Weak<Mutex<State<K, P>>>, key: &K, number: u64) {
    let Some(state) = state.upgrade() else { return };
    let gone = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = state.entries.get(key).is_some_and(|entry| entry.number == number);
        if is_there { state.entries.remove_entry(key) } else { None }
    };
    // Outside of the lock: a key may be of any type.
    drop(gone);
}

impl<K: Ord + Clone + Send + 'static, P: Proxy> Default for PeerRegistry<K, P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, P> Clone for PeerRegistry<K, P> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state) }
    }
}

impl<K: fmt::Debug, P> fmt::Debug for PeerRegistry<K, P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        formatter.debug_set().entries(state.entries.keys()).finish()
    }
}
