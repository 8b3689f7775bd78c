//! A lock guard that wakes tasks after it has unlocked, so that a woken task does not wait for the lock.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Wakers that are woken when this is dropped. The first one needs no allocation.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    first: Option<Waker>,
    rest: Vec<Waker>,
}

impl Wakers {
    #[inline]
    pub(super) fn push(&mut self, waker: Waker) {
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.rest.push(waker),
        }
    }

    #[inline]
    pub(super) fn extend(&mut self, wakers: impl IntoIterator<Item = Waker>) {
        for waker in wakers {
            self.push(waker);
        }
    }

    #[inline]
    pub(super) fn wake_all(&mut self) {
        if let Some(first) = self.first.take() {
            first.wake();
            self.rest.drain(..).for_each(Waker::wake);
        }
    }
}

impl Drop for Wakers {
    #[inline]
    fn drop(&mut self) {
        self.wake_all();
    }
}

/// A locked state, and the wakers of tasks to wake when it is unlocked.
pub(super) struct Guard<'a, T> {
    // Fields are dropped in the order of their declaration: the lock first.
    pub(super) state: MutexGuard<'a, T>,
    pub(super) wakers: Wakers,
}

impl<'a, T> Guard<'a, T> {
    #[inline]
    pub(super) fn new(mutex: &'a Mutex<T>) -> Self {
        Self { state: lock(mutex), wakers: Wakers::default() }
    }

    /// Unlocks the state and keeps the wakers, to wake the tasks after other work.
    pub(super) fn unlock(self) -> Wakers {
        self.wakers
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.state
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.state
    }
}

/// Locks a mutex whose value stays valid if a panic occurs while it is locked.
#[inline]
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stores a task's waker in place of an earlier one.
#[inline]
pub(super) fn store(stored: &mut Option<Waker>, waker: &Waker) {
    match stored {
        Some(stored) => stored.clone_from(waker),
        None => *stored = Some(waker.clone()),
    }
}
