//! The stream that a caller passes to a method with a stream parameter.
//!
//! Invariant: the handler can distinguish a stream that failed from one that ended.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
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

/// The stream parameter of a call.
///
/// A method with a stream parameter accepts any `Stream<Item = T> + Send + 'static`. Wrap a stream that can
/// fail:
///
/// ```
/// use kaa_rpc_runtime::{Fault, Outgoing};
///
/// # fn readings() -> impl futures_core::Stream<Item = Result<u64, Fault>> + Send + 'static {
/// #     futures_util::stream::iter([Ok(1), Err(Fault::new("sensor lost"))])
/// # }
/// let readings = Outgoing::fallible(readings());
/// ```
pub struct Outgoing<T> {
    /// The mutex makes the call `Sync` even if the stream is not. It is accessed exclusively only, without
    /// locking.
    stream: Mutex<Kind<T>>,
}

impl<T> Outgoing<T> {
    /// A stream that cannot fail.
    pub fn new(stream: impl Stream<Item = T> + Send + 'static) -> Self {
        Self { stream: Mutex::new(Kind::Plain(Box::pin(stream))) }
    }

    /// A stream that can fail. If it does, the handler receives
    /// [`CallError::Broken`](crate::CallError::Broken) with the fault's message.
    pub fn fallible(stream: impl Stream<Item = Result<T, Fault>> + Send + 'static) -> Self {
        Self { stream: Mutex::new(Kind::Fallible(Box::pin(stream))) }
    }

    /// Polls for the next item.
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

/// The types that a method with a stream parameter accepts: any `Stream<Item = T> + Send + 'static`, and
/// [`Outgoing`].
pub trait IntoOutgoing<T> {
    /// Converts into the stream parameter.
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

/// The stream type of a method that is not implemented. It has no values.
#[derive(Debug)]
pub struct Never<I> {
    never: Infallible,
    item: PhantomData<fn() -> I>,
}

impl<I> Stream for Never<I> {
    type Item = I;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I>> {
        match self.never {}
    }
}
