//! The observers of one client's or server's calls.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::interceptor::{Interceptor, ObservedCall};
use super::meter;
use crate::connection::{Direction, Refusal};
use crate::error::CallEnd;
use crate::trace::Propagator;

/// The interceptors of both directions, and the propagator of traces.
#[derive(Default)]
pub(crate) struct Observers {
    outbound: Vec<Box<dyn Interceptor>>,
    inbound: Vec<Box<dyn Interceptor>>,
    propagator: Option<Box<dyn Propagator>>,
}

impl Observers {
    /// Adds an interceptor after the others of its direction.
    pub(crate) fn add(&mut self, direction: Direction, interceptor: impl Interceptor) {
        let list = match direction {
            Direction::Outbound => &mut self.outbound,
            Direction::Inbound => &mut self.inbound,
        };
        list.push(Box::new(interceptor));
    }

    /// Sets the propagator, in place of the runtime's own trace contexts.
    pub(crate) fn set_propagator(&mut self, propagator: impl Propagator) {
        self.propagator = Some(Box::new(propagator));
    }

    /// Whether calls of this direction are observed even if no log or trace needs it.
    pub(super) fn observes(&self, direction: Direction) -> bool {
        meter::IS_ENABLED || !self.of(direction).is_empty() || self.propagator.is_some()
    }

    pub(super) fn propagator(&self) -> Option<&dyn Propagator> {
        self.propagator.as_deref()
    }

    /// Calls the interceptors at a call's start. If one refuses the call or panics, those before it receive
    /// its end.
    pub(super) fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        let list = self.of(call.direction);
        for (count, interceptor) in list.iter().enumerate() {
            let result = catch_unwind(AssertUnwindSafe(|| interceptor.before(call)));
            if matches!(result, Ok(Ok(()))) {
                continue;
            }
            let end = match (&result, call.direction) {
                (Ok(_), _) => CallEnd::Refused,
                (Err(_), Direction::Inbound) => CallEnd::Fault,
                // The panic continues in the caller, which drops the call.
                (Err(_), Direction::Outbound) => CallEnd::Cancelled,
            };
            call_after(list.get(..count).unwrap_or_default(), call, end);
            meter::call_ended(call, end);
            return result.unwrap_or_else(|payload| resume_unwind(payload));
        }
        Ok(())
    }

    /// Calls the interceptors at a call's end.
    pub(super) fn after(&self, call: &ObservedCall, end: CallEnd) {
        call_after(self.of(call.direction), call, end);
        meter::call_ended(call, end);
    }

    fn of(&self, direction: Direction) -> &[Box<dyn Interceptor>] {
        match direction {
            Direction::Outbound => &self.outbound,
            Direction::Inbound => &self.inbound,
        }
    }
}

fn call_after(interceptors: &[Box<dyn Interceptor>], call: &ObservedCall, end: CallEnd) {
    let took = call.started.elapsed();
    for interceptor in interceptors.iter().rev() {
        // A panic must not reach the code that ends the call, which may be a destructor.
        let result = catch_unwind(AssertUnwindSafe(|| interceptor.after(call, end, took)));
        if result.is_err() {
            tracing::error!(method = %call.method, "an interceptor panicked");
        }
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Observers")
            .field("outbound", &self.outbound.len())
            .field("inbound", &self.inbound.len())
            .field("propagator", &self.propagator.is_some())
            .finish()
    }
}
