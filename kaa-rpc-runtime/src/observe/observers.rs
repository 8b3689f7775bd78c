//! Who watches the calls of one client or server.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::end::CallEnd;
use super::interceptor::{Direction, Interceptor, ObservedCall, Refusal};
use super::meter;
use super::trace::Propagator;

/// Interceptors of both directions, and what carries traces. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Observers {
    outbound: Vec<Arc<dyn Interceptor>>,
    inbound: Vec<Arc<dyn Interceptor>>,
    propagator: Option<Arc<dyn Propagator>>,
}

impl Observers {
    /// Adds an interceptor behind the others of its direction.
    pub(crate) fn add(&mut self, direction: Direction, interceptor: impl Interceptor) {
        let list = match direction {
            Direction::Outbound => &mut self.outbound,
            Direction::Inbound => &mut self.inbound,
        };
        list.push(Arc::new(interceptor));
    }

    /// Sets what carries traces, in place of the runtime's own contexts.
    pub(crate) fn set_propagator(&mut self, propagator: impl Propagator) {
        self.propagator = Some(Arc::new(propagator));
    }

    pub(super) fn propagator(&self) -> Option<&dyn Propagator> {
        self.propagator.as_deref()
    }

    /// Whether somebody watches calls of this direction.
    #[inline]
    pub(super) fn watch(&self, direction: Direction) -> bool {
        meter::IS_ON || !self.of(direction).is_empty() || self.propagator.is_some()
    }

    /// Shows a call's beginning. Where it is refused, or somebody panics, those who had seen it are told its end.
    pub(super) fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        let list = self.of(call.direction);
        for (seen, interceptor) in list.iter().enumerate() {
            let shown = catch_unwind(AssertUnwindSafe(|| interceptor.before(call)));
            if matches!(shown, Ok(Ok(()))) {
                continue;
            }
            let end = match (&shown, call.direction) {
                (Ok(_), _) => CallEnd::Refused,
                (Err(_), Direction::Inbound) => CallEnd::Fault,
                // The panic goes on to the caller, who takes nothing any more.
                (Err(_), Direction::Outbound) => CallEnd::Cancelled,
            };
            tell_end(list.get(..seen).unwrap_or_default(), call, end);
            meter::call_ended(call, end);
            return shown.unwrap_or_else(|payload| resume_unwind(payload));
        }
        Ok(())
    }

    /// Shows a call's end.
    pub(super) fn after(&self, call: &ObservedCall, end: CallEnd) {
        tell_end(self.of(call.direction), call, end);
        meter::call_ended(call, end);
    }

    fn of(&self, direction: Direction) -> &[Arc<dyn Interceptor>] {
        match direction {
            Direction::Outbound => &self.outbound,
            Direction::Inbound => &self.inbound,
        }
    }
}

fn tell_end(interceptors: &[Arc<dyn Interceptor>], call: &ObservedCall, end: CallEnd) {
    let took = call.began.elapsed();
    for interceptor in interceptors.iter().rev() {
        // It is told in the middle of other people's work, or of a destructor.
        let told = catch_unwind(AssertUnwindSafe(|| interceptor.after(call, end, took)));
        if told.is_err() {
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
