//! The caller's end of a stream parameter.
//!
//! Invariants: the producer is polled by whoever awaits the call; it is dropped as soon as nobody takes its items; a
//! failure of it is told to the handler as such.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::forwarding::{Forwarded, Forwarding};
use super::outgoing::Outgoing;
use crate::codec::{EncodeError, Wire};
use crate::connection::{Link, Route};
use crate::error::Fault;
use crate::protocol::frame::Token;
use crate::protocol::streams::EndCode;

/// A producer whose items are of any type.
pub(crate) trait Produce: Send + Sync {
    /// Sends what is ready, and the end behind it.
    fn poll(&mut self, context: &mut Context<'_>, link: &Arc<Link>, token: Token) -> Poll<Produced>;
}

/// How a producer ended.
#[derive(Debug)]
pub(crate) enum Produced {
    /// The peer knows, or does not care.
    Told,
    /// An item cannot be encoded: the peer was told that the stream is broken.
    Unencodable(EncodeError),
}

/// The stream parameter of a call, with items of type `W`.
pub(crate) struct Producer<W: Wire> {
    outgoing: Outgoing<W::Value>,
    /// Made with the first poll: most calls wait a moment before there is a token.
    route: Option<Route>,
    forwarding: Forwarding<Fault>,
}

impl<W: Wire> Producer<W> {
    pub(crate) fn new(outgoing: Outgoing<W::Value>) -> Self {
        Self { outgoing, route: None, forwarding: Forwarding::new() }
    }
}

impl<W: Wire> Produce for Producer<W> {
    fn poll(&mut self, context: &mut Context<'_>, link: &Arc<Link>, token: Token) -> Poll<Produced> {
        let route = self.route.get_or_insert_with(|| Route::Arguments { link: Arc::clone(link), token });
        let outgoing = &mut self.outgoing;
        let forwarded = self.forwarding.poll::<W>(context, route, |context| outgoing.poll_next(context));
        forwarded.map(|forwarded| match forwarded {
            Forwarded::Finished => {
                link.end_arguments(token, EndCode::Finished, "");
                Produced::Told
            }
            Forwarded::Failed(fault) => {
                link.end_arguments(token, EndCode::Broken, fault.message());
                Produced::Told
            }
            Forwarded::Unencodable(error) => {
                let text = format!("an item could not be encoded: {error}");
                link.end_arguments(token, EndCode::Broken, &text);
                Produced::Unencodable(error)
            }
            Forwarded::Over => Produced::Told,
        })
    }
}

impl<W: Wire> fmt::Debug for Producer<W> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Producer").finish_non_exhaustive()
    }
}
