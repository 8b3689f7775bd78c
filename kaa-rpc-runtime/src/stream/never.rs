//! The stream of a method that is not implemented.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

/// A stream that there is none of.
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
