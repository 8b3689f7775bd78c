//! What a link knows of both sides' schemas.

use crate::descriptor::ServiceDescriptor;
use crate::protocol::schema::{Compatibility, SchemaExchange, SchemaFailure, SchemaMessage};

/// Schema frames to send: their kinds and payloads.
pub(super) type SchemaFrames = Vec<(SchemaMessage, Vec<u8>)>;

/// The comparison of schemas on the current connection, and the services known through all connections.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    exchange: SchemaExchange,
    /// Services that this side calls or serves.
    known: Vec<&'static ServiceDescriptor>,
    /// The connection is established, and the link reports it as open when the schemas are compared.
    is_open_pending: bool,
}

impl Comparison {
    /// Starts the comparison on a new connection.
    pub(super) fn start(
        &mut self,
        described: &[&'static ServiceDescriptor],
        is_equal: bool,
        compatibility: Compatibility,
    ) -> SchemaFrames {
        let (mut exchange, summary) = SchemaExchange::begin(described, is_equal, compatibility);
        let mut frames: Vec<_> = summary.into_iter().collect();
        for service in &self.known {
            frames.extend(exchange.add(service));
        }
        self.exchange = exchange;
        self.is_open_pending = true;
        frames
    }

    /// Adds a service that this side calls or serves. Returns whether it is new.
    pub(super) fn add_known(&mut self, service: &'static ServiceDescriptor) -> bool {
        let is_new = self.known.iter().all(|known| known.name != service.name);
        if is_new {
            self.known.push(service);
        }
        is_new
    }

    /// Compares a service that was added while the connection was open.
    pub(super) fn compare(&mut self, service: &'static ServiceDescriptor) -> SchemaFrames {
        self.exchange.add(service)
    }

    /// Handles a schema frame of the peer.
    ///
    /// # Errors
    /// A malformed payload, or incompatible schemas.
    pub(super) fn handle(
        &mut self,
        message: SchemaMessage,
        payload: &[u8],
    ) -> Result<SchemaFrames, SchemaFailure> {
        self.exchange.handle(message, payload)
    }

    pub(super) fn known(&self) -> &[&'static ServiceDescriptor] {
        &self.known
    }

    /// Whether all schemas are compared, so that calls may be sent.
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.exchange.is_settled()
    }

    /// Whether the comparison of this service is not finished.
    pub(super) fn is_comparing(&self, service: &str) -> bool {
        self.exchange.awaits(service)
    }

    /// Whether the peer has sent its services, and this one is not among them.
    #[inline]
    pub(super) fn peer_lacks(&self, service: &str) -> bool {
        self.exchange.peer_lacks(service)
    }

    /// Whether the peer may call: it has sent its services.
    #[inline]
    pub(super) fn lets_peer_call(&self) -> bool {
        self.exchange.knows_theirs()
    }

    /// Whether the link is open and has not reported it.
    #[inline]
    pub(super) fn is_newly_open(&self) -> bool {
        self.is_open_pending && self.is_settled()
    }

    /// Whether the link is open and has not reported it. The caller reports it now.
    pub(super) fn take_newly_open(&mut self) -> bool {
        let is_newly_open = self.is_newly_open();
        if is_newly_open {
            self.is_open_pending = false;
        }
        is_newly_open
    }
}
