//! Settings that clients and servers have in common, with their defaults (`docs/wire.md`, section 6).

use std::time::Duration;

use crate::connection::{Detached, LinkConfiguration, Patience, Side};
use crate::observe::Observers;
use crate::protocol::limits::Limits;
use crate::protocol::schema::Compatibility;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) handshake_timeout: Duration,
    pub(crate) output_budget: u64,
    pub(crate) cancel_grace: Duration,
    pub(crate) stall_limit: Duration,
    pub(crate) hides_faults: bool,
    pub(crate) compatibility: Compatibility,
    pub(crate) patience: Option<Patience>,
    pub(crate) observers: Observers,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            handshake_timeout: Duration::from_secs(10),
            output_budget: 8 * 1024 * 1024,
            cancel_grace: Duration::from_secs(5),
            stall_limit: Duration::from_secs(30),
            hides_faults: false,
            compatibility: Compatibility::default(),
            patience: Some(Patience { idle: Duration::from_secs(15), answer: Duration::from_secs(10) }),
            observers: Observers::default(),
        }
    }
}

impl Settings {
    /// The configuration of one link, by what was set.
    pub(crate) fn link_configuration(
        &self,
        side: Side,
        reconnects: bool,
        detached: &Detached,
    ) -> LinkConfiguration {
        LinkConfiguration {
            compatibility: self.compatibility,
            detached: detached.clone(),
            patience: self.patience,
            observers: self.observers.clone(),
            side,
            limits: self.limits,
            output_budget: self.output_budget,
            cancel_grace: self.cancel_grace,
            reconnects,
            hides_faults: self.hides_faults,
            stall_limit: self.stall_limit,
        }
    }
}
