//! How a link compares its schemas with the peer's (`docs/wire.md`, section 5).
//!
//! Invariants: a link says that it is open only when it is settled; a service that this side comes to know later is
//! compared before it is called.

use std::sync::Arc;
use std::task::Waker;

use super::link::{Link, Phase, State};
use super::status::Status;
use crate::descriptor::ServiceDescriptor;
use crate::peer::PeerInformation;
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{Frame, Header, Kind};
use crate::protocol::limits::Limits;
use crate::protocol::schema::{Compatibility, SchemaExchange, SchemaFailure, SchemaMessage};
use crate::transport::Stream;

/// What a handshake has brought.
pub(crate) struct Opening<'a> {
    pub(crate) stream: Arc<Stream>,
    pub(crate) information: Arc<PeerInformation>,
    pub(crate) peer_limits: Limits,
    /// The services that this side's fingerprint was made of.
    pub(crate) described: &'a [&'static ServiceDescriptor],
}

/// What a link knows of schemas.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    exchange: SchemaExchange,
    /// Services that this side calls or serves, through all connections.
    known: Vec<&'static ServiceDescriptor>,
    /// The link will say that it is open when the comparison is done.
    opening: bool,
}

impl Comparison {
    #[inline]
    pub(super) fn is_settled(&self) -> bool {
        self.exchange.is_settled()
    }

    /// Whether the peer has said what it knows, and this service is not among it.
    #[inline]
    pub(super) fn peer_lacks(&self, service: &str) -> bool {
        self.exchange.peer_lacks(service)
    }

    /// Whether the link has become open and has not said so.
    #[inline]
    pub(super) fn is_opening(&self) -> bool {
        self.opening && self.is_settled()
    }

    /// Whether the peer may call: it has said what it knows.
    #[inline]
    pub(super) fn lets_peer_call(&self) -> bool {
        self.exchange.knows_theirs()
    }
}

impl Link {
    /// This side calls or serves this service: its schema is compared with the peer's.
    pub(crate) fn know(&self, service: &'static ServiceDescriptor) {
        let mut state = self.lock();
        if state.comparison.known.iter().any(|known| known.name == service.name) {
            return;
        }
        state.comparison.known.push(service);
        if state.phase != Phase::Open {
            return;
        }
        let frames = state.comparison.exchange.add(service);
        state.send_schema(frames);
        let flusher = state.schedule_flush();
        drop(state);
        flusher.into_iter().for_each(Waker::wake);
    }

    /// Whether the schema of this service is being compared with the peer's.
    #[cold]
    pub(super) fn compares(&self, service: &str) -> bool {
        self.lock().comparison.exchange.awaits(service)
    }

    /// The services that this side serves or calls, as far as it is known now.
    pub(crate) fn describe(
        &self,
        served: Vec<&'static ServiceDescriptor>,
    ) -> Vec<&'static ServiceDescriptor> {
        let mut services = served;
        for service in &self.lock().comparison.known {
            if services.iter().all(|other| other.name != service.name) {
                services.push(service);
            }
        }
        services
    }

    /// Says that the link is open, once schemas have been compared.
    pub(super) fn tell_open(&self) {
        let is_leaving = {
            let mut state = self.lock();
            if !state.comparison.is_opening() {
                return;
            }
            state.comparison.opening = false;
            state.is_ending()
        };
        self.tell_if(Status::Open, |_| true);
        if is_leaving {
            self.tell_draining();
        }
    }
}

impl State {
    /// A connection begins: the first frame says what this side knows, if the fingerprints differ.
    pub(super) fn begin_comparison(&mut self, opening: &Opening<'_>, compatibility: Compatibility) {
        let equal = opening.information.same_schema;
        let (mut exchange, summary) = SchemaExchange::begin(opening.described, equal, compatibility);
        let mut frames: Vec<_> = summary.into_iter().collect();
        for service in &self.comparison.known {
            frames.extend(exchange.add(service));
        }
        self.comparison.exchange = exchange;
        self.comparison.opening = true;
        self.send_schema(frames);
    }

    pub(super) fn handle_schema(&mut self, frame: &Frame) -> Result<(), ProtocolError> {
        let misplaced = ProtocolError::Misplaced { frame: "Schema" };
        let Some(message) = SchemaMessage::from_number(frame.header.detail) else { return Err(misplaced) };
        match self.comparison.exchange.handle(message, &frame.payload) {
            Ok(frames) => {
                self.send_schema(frames);
                Ok(())
            }
            Err(SchemaFailure::Malformed) => Err(misplaced),
            Err(SchemaFailure::Incompatible(report)) => Err(ProtocolError::Incompatible(report)),
        }
    }

    fn send_schema(&mut self, frames: Vec<(SchemaMessage, Vec<u8>)>) {
        for (message, payload) in frames {
            self.output.plain_frame(&Header::of_connection(Kind::Schema, message.to_number()), &payload);
        }
    }
}
