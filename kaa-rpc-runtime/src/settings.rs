//! Settings that clients and servers have in common, with their defaults (`docs/wire.md`, section 6).

use std::time::Duration;

use tokio::runtime::Handle;

use crate::codec::DecodeLimits;
use crate::connection::{CancelRate, Detached, Keepalive, LinkConfiguration, QueueLimits, Side};
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
    pub(crate) stall_timeout: Duration,
    pub(crate) hides_faults: bool,
    pub(crate) compatibility: Compatibility,
    pub(crate) keepalive: Option<Keepalive>,
    pub(crate) observers: Observers,
    pub(crate) resources: Resources,
    pub(crate) queue: QueueLimits,
    pub(crate) decode: DecodeLimits,
    pub(crate) max_nesting: u32,
    pub(crate) cancels: CancelRate,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            handshake_timeout: Duration::from_secs(10),
            output_budget: 8 * 1024 * 1024,
            cancel_grace: Duration::from_secs(5),
            stall_timeout: Duration::from_secs(30),
            hides_faults: false,
            compatibility: Compatibility::default(),
            keepalive: Some(Keepalive {
                interval: Duration::from_secs(15),
                timeout: Duration::from_secs(10),
            }),
            observers: Observers::default(),
            resources: Resources::process_wide(),
            queue: QueueLimits::default(),
            decode: DecodeLimits::default(),
            max_nesting: 32,
            cancels: CancelRate { burst: 20_000, per_second: 10_000 },
        }
    }
}

/// The methods that builders of clients and of servers have alike.
macro_rules! setters_of_both {
    () => {
        /// What this side is ready to receive from each peer.
        pub fn limits(mut self, limits: $crate::protocol::limits::Limits) -> Self {
            self.settings.limits = limits;
            self
        }

        /// Shows this every call that this side makes, and lets it refuse them; behind interceptors added before.
        pub fn intercept_outbound(mut self, interceptor: impl $crate::Interceptor) -> Self {
            self.settings.observers.add($crate::Direction::Outbound, interceptor);
            self
        }

        /// Shows this every call that this side serves, and lets it refuse them; behind interceptors added before.
        pub fn intercept_inbound(mut self, interceptor: impl $crate::Interceptor) -> Self {
            self.settings.observers.add($crate::Direction::Inbound, interceptor);
            self
        }

        /// Carries traces between the program's own tracing and calls; without, the runtime makes contexts of its own.
        pub fn trace_propagator(mut self, propagator: impl $crate::Propagator) -> Self {
            self.settings.observers.set_propagator(propagator);
            self
        }

        /// What is shared with other servers and clients; with all of the process by default.
        pub fn resources(mut self, resources: $crate::Resources) -> Self {
            self.settings.resources = resources;
            self
        }

        /// How much may wait to leave, before authentication or at the peer's limit, before callers wait: calls, and bytes of
        /// their arguments; 1,024 and 4 MiB by default.
        pub fn queue_limits(mut self, calls: usize, bytes: usize) -> Self {
            self.settings.queue = $crate::connection::QueueLimits { calls: calls.max(1), bytes };
            self
        }

        /// How much memory and depth the values of one message may take when they are decoded; 64 MiB and 64 by default.
        pub fn decode_limits(mut self, limits: $crate::codec::DecodeLimits) -> Self {
            self.settings.decode = limits;
            self
        }

        /// How deep calls of the peer may be nested in calls of this side and so on; 32 by default.
        pub fn max_nesting(mut self, depth: u32) -> Self {
            self.settings.max_nesting = depth;
            self
        }

        /// How many calls the peer may cancel at once, and then per second, before its connection is ended; 20,000 and 10,000
        /// by default.
        pub fn cancel_rate(mut self, burst: u32, per_second: u32) -> Self {
            self.settings.cancels = $crate::connection::CancelRate { burst, per_second };
            self
        }

        /// Sends an id in place of a fault's message; both are in the log.
        pub fn hide_faults(mut self) -> Self {
            self.settings.hides_faults = true;
            self
        }

        /// How much may wait to be written to a peer before calls wait and replies are refused, in bytes; 8 MiB by default.
        pub fn output_budget(mut self, bytes: u64) -> Self {
            // Nothing would ever leave with none.
            self.settings.output_budget = bytes.max(1);
            self
        }

        /// How long a peer may leave a frame unfinished, or not take what is sent, before its connection is ended with
        /// [`CloseReason::PeerStalled`](crate::CloseReason::PeerStalled); 30 seconds by default.
        pub fn stall_timeout(mut self, limit: ::std::time::Duration) -> Self {
            self.settings.stall_timeout = limit;
            self
        }

        /// How long a cancelled handler that watches for it may go on, 5 seconds by default.
        pub fn cancel_grace(mut self, grace: ::std::time::Duration) -> Self {
            self.settings.cancel_grace = grace;
            self
        }

        /// Pings a peer that has been silent for `interval`, and closes the connection with
        /// [`CloseReason::PeerStalled`](crate::CloseReason::PeerStalled) if nothing arrives within `timeout` after that; 15 and
        /// 10 seconds by default. A peer whose handlers block its thread that long counts as silent.
        pub fn keepalive(mut self, interval: ::std::time::Duration, timeout: ::std::time::Duration) -> Self {
            self.settings.keepalive = Some($crate::connection::Keepalive { interval, timeout });
            self
        }

        /// Lets the peer be silent without limit: it is never pinged.
        pub fn without_keepalive(mut self) -> Self {
            self.settings.keepalive = None;
            self
        }

        /// How much peers' schemas may differ from this side's; as far as compatible changes go, by default.
        pub fn compatibility(mut self, compatibility: $crate::protocol::schema::Compatibility) -> Self {
            self.settings.compatibility = compatibility;
            self
        }
    };
}

pub(crate) use setters_of_both;

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
            keepalive: self.keepalive,
            observers: self.observers.clone(),
            resources: self.resources.clone(),
            queue: self.queue,
            decode: self.decode,
            max_nesting: self.max_nesting,
            cancels: self.cancels,
            runtime: runtime.clone(),
            side,
            limits: self.limits,
            output_budget: self.output_budget,
            cancel_grace: self.cancel_grace,
            reconnects,
            hides_faults: self.hides_faults,
            stall_timeout: self.stall_timeout,
        }
    }
}
