//! The stream that a caller sends along with a call.
//!
//! Invariant: a stream that fails is told apart from one that ends, all the way to the handler.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::error::Fault;

type Boxed<T> = Pin<Box<dyn Stream<Item = T> + Send>>;

enum Kind<T> {
    Plain(Boxed<T>),
    Fallible(Boxed<Result<T, Fault>>),
}

/// A stream on its way to the handler of a call.
///
/// Any `Stream<Item = T> + Send + 'static` can be given to a method with a stream parameter as it is. One that can fail
/// is wrapped first:
///
/// ```
/// use kaa_rpc_runtime::{Fault, Outgoing};
///
/// # fn readings() -> impl futures_core::Stream<Item = Result<u64, Fault>> + Send + 'static {
/// #     futures_util::stream::iter([Ok(1), Err(Fault::new("the sensor is gone"))])
/// # }
/// let readings = Outgoing::fallible(readings());
/// ```
pub struct Outgoing<T> {
    /// Only ever reached through exclusive access; the lock lets calls be shared between threads, whatever the stream.
    stream: Mutex<Kind<T>>,
}

impl<T> Outgoing<T> {
    /// A stream that does not fail.
    pub fn new(stream: impl Stream<Item = T> + Send + 'static) -> Self {
        Self { stream: Mutex::new(Kind::Plain(Box::pin(stream))) }
    }

    /// A stream that can fail: the handler then finds it broken off, with the fault's message, and never ended.
    pub fn fallible(stream: impl Stream<Item = Result<T, Fault>> + Send + 'static) -> Self {
        Self { stream: Mutex::new(Kind::Fallible(Box::pin(stream))) }
    }

    /// The next item, as of a stream.
    #[inline]
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, Fault>>> {
        match self.stream.get_mut().unwrap_or_else(PoisonError::into_inner) {
            Kind::Plain(stream) => stream.as_mut().poll_next(context).map(|item| item.map(Ok)),
            Kind::Fallible(stream) => stream.as_mut().poll_next(context),
        }
    }
}

impl<T> fmt::Debug for Outgoing<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outgoing").finish_non_exhaustive()
    }
}

/// What can be given to a method with a stream parameter: any `Stream<Item = T> + Send + 'static`, or an [`Outgoing`].
pub trait IntoOutgoing<T> {
    /// The stream on its way.
    fn into_outgoing(self) -> Outgoing<T>;
}

impl<T, S: Stream<Item = T> + Send + 'static> IntoOutgoing<T> for S {
    fn into_outgoing(self) -> Outgoing<T> {
        Outgoing::new(self)
    }
}

impl<T> IntoOutgoing<T> for Outgoing<T> {
    fn into_outgoing(self) -> Self {
        self
    }
}
