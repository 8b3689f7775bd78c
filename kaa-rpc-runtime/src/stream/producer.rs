//! The caller's end of a stream parameter.
//!
//! Invariants: polling the call polls the producer; the producer is dropped as soon as the handler takes no
//! more items; the handler can distinguish the producer's failure from its end.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::forwarding::{Forwarding, StreamFailure};
use super::outgoing::Outgoing;
use crate::codec::{EncodeError, Wire};
use crate::connection::{Link, Route};
use crate::error::Fault;
use crate::protocol::frame::Token;
use crate::protocol::streams::EndCode;

/// A producer of items of any type.
pub(crate) trait Produce: Send + Sync {
    /// Sends the items that are ready, and the end after them. Ready when there is nothing more to send.
    ///
    /// # Errors
    /// An item that cannot be encoded. The handler receives the stream as broken.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        link: &Arc<Link>,
        token: Token,
    ) -> Poll<Result<(), EncodeError>>;
}

/// The stream parameter of a call, with items of type `W`.
pub(crate) struct Producer<W: Wire> {
    outgoing: Outgoing<W::Value>,
    /// Set at the first poll, when the call has a token.
    route: Option<Route>,
    forwarding: Forwarding<Fault>,
}

impl<W: Wire> Producer<W> {
    pub(crate) fn new(outgoing: Outgoing<W::Value>) -> Self {
        Self { outgoing, route: None, forwarding: Forwarding::new() }
    }
}

impl<W: Wire> Produce for Producer<W> {
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        link: &Arc<Link>,
        token: Token,
    ) -> Poll<Result<(), EncodeError>> {
        let route = self.route.get_or_insert_with(|| Route::Arguments { link: Arc::clone(link), token });
        let outgoing = &mut self.outgoing;
        let end = self.forwarding.poll::<W>(context, route, |context| outgoing.poll_next(context));
        end.map(|end| match end {
            Ok(()) => {
                link.end_arguments(token, EndCode::Finished, "");
                Ok(())
            }
            Err(StreamFailure::Producer(fault)) => {
                link.end_arguments(token, EndCode::Broken, fault.message());
                Ok(())
            }
            Err(StreamFailure::Unencodable(error)) => {
                let text = format!("an item could not be encoded: {error}");
                link.end_arguments(token, EndCode::Broken, &text);
                Err(error)
            }
            Err(StreamFailure::Closed) => Ok(()),
        })
    }
}

impl<W: Wire> fmt::Debug for Producer<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Producer").finish_non_exhaustive()
    }
}
