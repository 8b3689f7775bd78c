//! Connected peers by key.
//!
//! Invariants: a peer is in a registry from its insertion until it is removed or replaced, or until its
//! connection ends. A registry does not keep connections open.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::task::JoinSet;

use crate::connection::OnCloseId;
use crate::peer::Proxy;
use crate::trace::TraceContext;

/// Connected peers by a key that you choose, such as a user or a device. Use it to call one peer, any peer,
/// or all of them. Clones refer to the same registry.
///
/// A handler inserts its caller. The registry removes it when its connection ends.
///
/// ```
/// # use kaa_rpc_runtime::{Context, Fault, PeerRegistry, Proxy};
/// struct ChatRoom<P: Proxy> {
///     members: PeerRegistry<String, P>,
/// }
///
/// impl<P: Proxy> ChatRoom<P> {
///     async fn join(&self, cx: Context<P>, name: String) -> Result<(), Fault> {
///         self.members.try_insert(name, &cx.peer).map_err(|_member| Fault::new("the name is taken"))
///     }
/// }
/// ```
pub struct PeerRegistry<K, P> {
    state: Arc<Mutex<State<K, P>>>,
}

struct State<K, P> {
    entries: BTreeMap<K, Entry<P>>,
    next_number: u64,
    /// The key that [`PeerRegistry::one`] returned last.
    last: Option<K>,
}

struct Entry<P> {
    number: u64,
    proxy: P,
    on_close: Option<OnCloseId>,
}

impl<K: Ord + Clone + Send + 'static, P: Proxy> PeerRegistry<K, P> {
    /// Creates an empty registry.
    #[must_use]
    pub fn new() -> Self {
        let state = State { entries: BTreeMap::new(), next_number: 0, last: None };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Inserts a peer. Returns the peer that had the key before. A peer whose connection has ended is not
    /// inserted.
    ///
    /// Calls through the registry are not nested in the call whose handler inserted the peer.
    pub fn insert(&self, key: K, peer: &P) -> Option<P> {
        let proxy = P::from_peer(peer.peer().unbound().unowned());
        let (number, before) = self.lock().put(key.clone(), proxy.clone());
        self.remove_when_closed(key, number, &proxy);
        before.map(Entry::release)
    }

    /// Inserts a peer if the key is free. See [`PeerRegistry::insert`].
    ///
    /// # Errors
    /// The peer that has the key. It may be the same peer.
    pub fn try_insert(&self, key: K, peer: &P) -> Result<(), P> {
        let proxy = P::from_peer(peer.peer().unbound().unowned());
        let number = {
            let mut state = self.lock();
            if let Some(taken) = state.entries.get(&key) {
                return Err(taken.proxy.clone());
            }
            state.put(key.clone(), proxy.clone()).0
        };
        self.remove_when_closed(key, number, &proxy);
        Ok(())
    }

    /// Removes a newly inserted peer when its connection ends.
    fn remove_when_closed(&self, key: K, number: u64, proxy: &P) {
        let weak = Arc::downgrade(&self.state);
        let link = proxy.peer().link();
        let on_close = link.on_close({
            let key = key.clone();
            Box::new(move || remove_closed(&weak, &key, number))
        });
        let is_there = match self.lock().entries.get_mut(&key).filter(|entry| entry.number == number) {
            Some(entry) => {
                entry.on_close = on_close;
                true
            }
            None => false,
        };
        // The peer was replaced or removed before the callback was stored in its entry.
        if let Some(on_close) = on_close.filter(|_| !is_there) {
            link.remove_on_close(on_close);
        }
    }

    /// Removes a peer and returns it.
    pub fn remove(&self, key: &K) -> Option<P> {
        let entry = self.lock().entries.remove(key);
        entry.map(Entry::release)
    }

    /// The peer with this key.
    #[must_use]
    pub fn by_key(&self, key: &K) -> Option<P> {
        self.lock().entries.get(key).map(|entry| entry.proxy.clone())
    }

    /// Returns one of the peers, in turn: each call returns the next by key, and starts again after the last.
    /// Peers that are shutting down are skipped, unless there are no others.
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

    /// All peers, in ascending order of keys.
    #[must_use]
    pub fn all(&self) -> Vec<(K, P)> {
        self.lock().entries.iter().map(|(key, entry)| (key.clone(), entry.proxy.clone())).collect()
    }

    /// The number of peers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether the registry is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes a call to all peers concurrently, and returns the results in the order of keys.
    ///
    /// It returns when every call has ended. Set a timeout on the call, so that a peer that does not reply
    /// cannot delay the others without limit. Dropping the future cancels the unfinished calls.
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

    /// Makes a call to the peers whose keys the predicate selects, for example to all except the caller. See
    /// [`PeerRegistry::call_all`].
    pub async fn call_where<W, F, R, T, E>(&self, predicate: W, call: F) -> Vec<(K, Result<T, E>)>
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
        for (key, proxy) in self.all().into_iter().filter(|(key, _)| predicate(key)) {
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
                // A call itself does not panic, but code that wraps it may.
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
    /// Inserts a peer. Returns its number, and the entry that it replaces.
    fn put(&mut self, key: K, proxy: P) -> (u64, Option<Entry<P>>) {
        let number = self.next_number;
        self.next_number += 1;
        (number, self.entries.insert(key, Entry { number, proxy, on_close: None }))
    }
}

impl<P: Proxy> Entry<P> {
    /// Cancels the callback for the end of the connection.
    fn release(self) -> P {
        if let Some(on_close) = self.on_close {
            self.proxy.peer().link().remove_on_close(on_close);
        }
        self.proxy
    }
}

/// Removes an entry whose connection has ended.
fn remove_closed<K: Ord, P>(state: &Weak<Mutex<State<K, P>>>, key: &K, number: u64) {
    let Some(state) = state.upgrade() else { return };
    let removed = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = state.entries.get(key).is_some_and(|entry| entry.number == number);
        if is_there { state.entries.remove_entry(key) } else { None }
    };
    // Dropped outside the lock, because dropping a key may run any code.
    drop(removed);
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
