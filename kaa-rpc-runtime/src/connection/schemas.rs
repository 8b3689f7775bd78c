//! How a link compares its schemas with the peer's (`docs/wire.md`, section 5).
//!
//! Invariants: a link is reported as open only when the comparison has settled; a service that this side
//! learns of later is compared before it is called.

use super::comparison::SchemaFrames;
use super::link::Link;
use super::opening::Opening;
use super::state::State;
use super::status::{Phase, Status};
use crate::descriptor::ServiceDescriptor;
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{Frame, Header, Kind};
use crate::protocol::schema::{Compatibility, SchemaFailure, SchemaMessage};

impl Link {
    /// This side calls or serves the service: compares its schema with the peer's.
    pub(crate) fn add_known_service(&self, service: &'static ServiceDescriptor) {
        let mut guard = self.update();
        let (state, wakers) = (&mut guard.state, &mut guard.wakers);
        if !state.comparison.add_known(service) || state.phase != Phase::Open {
            return;
        }
        let frames = state.comparison.compare(service);
        state.queue_schema(frames);
        wakers.extend(state.schedule_flush());
    }

    /// Whether the comparison of this service's schema is not finished.
    #[cold]
    pub(super) fn is_comparing(&self, service: &str) -> bool {
        self.lock().comparison.is_comparing(service)
    }

    /// The services that this side serves, and those that it is known to call.
    pub(crate) fn known_services(
        &self,
        served: Vec<&'static ServiceDescriptor>,
    ) -> Vec<&'static ServiceDescriptor> {
        let mut services = served;
        for service in self.lock().comparison.known() {
            if services.iter().all(|other| other.name != service.name) {
                services.push(service);
            }
        }
        services
    }

    /// Reports that the link is open, once the schemas are compared.
    pub(super) fn report_open(&self) {
        let is_draining = {
            let mut state = self.lock();
            if !state.comparison.take_newly_open() {
                return;
            }
            state.is_draining()
        };
        self.set_status(Status::Open);
        if is_draining {
            self.set_draining();
        }
    }
}

impl State {
    /// Starts the comparison on a new connection. If the fingerprints differ, this queues the first frame.
    pub(super) fn start_comparison(&mut self, opening: &Opening<'_>, compatibility: Compatibility) {
        let is_equal = opening.information.same_schema;
        let frames = self.comparison.start(opening.described, is_equal, compatibility);
        self.queue_schema(frames);
    }

    pub(super) fn handle_schema(&mut self, frame: &Frame) -> Result<(), ProtocolError> {
        let misplaced = ProtocolError::Misplaced { frame: "Schema" };
        let Some(message) = SchemaMessage::from_number(frame.header.detail) else { return Err(misplaced) };
        match self.comparison.handle(message, &frame.payload) {
            Ok(frames) => {
                self.queue_schema(frames);
                Ok(())
            }
            Err(SchemaFailure::Malformed) => Err(misplaced),
            Err(SchemaFailure::Incompatible(report)) => Err(ProtocolError::Incompatible(report)),
        }
    }

    fn queue_schema(&mut self, frames: SchemaFrames) {
        for (message, payload) in frames {
            self.output.plain_frame(&Header::of_connection(Kind::Schema, message.to_number()), &payload);
        }
    }
}
