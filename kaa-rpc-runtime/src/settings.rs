//! Settings that clients and servers have in common, with their defaults (`docs/wire.md`, section 6).

use std::time::Duration;

use tokio::runtime::Handle;

use crate::codec::DecodeLimits;
use crate::connection::{CancelRate, Detached, LinkConfiguration, Patience, QueueLimits, Side};
use crate::observe::Observers;
use crate::protocol::limits::Limits;
use crate::protocol::schema::Compatibility;
use crate::resources::Resources;

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
    pub(crate) resources: Resources,
    pub(crate) queue: QueueLimits,
    pub(crate) decode: DecodeLimits,
    pub(crate) deepest_nesting: u32,
    pub(crate) cancels: CancelRate,
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
            resources: Resources::of_process(),
            queue: QueueLimits::default(),
            decode: DecodeLimits::default(),
            deepest_nesting: 32,
            cancels: CancelRate { burst: 20_000, per_second: 10_000 },
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
        runtime: &Handle,
    ) -> LinkConfiguration {
        LinkConfiguration {
            compatibility: self.compatibility,
            detached: detached.clone(),
            patience: self.patience,
            observers: self.observers.clone(),
            resources: self.resources.clone(),
            queue: self.queue,
            decode: self.decode,
            deepest_nesting: self.deepest_nesting,
            cancels: self.cancels,
            runtime: runtime.clone(),
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
