//! The methods that client and server builders share.

/// Defines the setters that both builders have. They set the builder's `settings` and `observers`.
macro_rules! shared_setters {
    () => {
        /// The limits for what this side receives from each peer.
        pub fn limits(mut self, limits: $crate::protocol::limits::Limits) -> Self {
            self.settings.limits = limits;
            self
        }

        /// Adds an interceptor for outbound calls. It runs after those added before, and may refuse calls.
        pub fn intercept_outbound(mut self, interceptor: impl $crate::Interceptor) -> Self {
            self.observers.add($crate::Direction::Outbound, interceptor);
            self
        }

        /// Adds an interceptor for inbound calls. It runs after those added before, and may refuse calls.
        pub fn intercept_inbound(mut self, interceptor: impl $crate::Interceptor) -> Self {
            self.observers.add($crate::Direction::Inbound, interceptor);
            self
        }

        /// Connects calls with the program's tracing system. Without a propagator the runtime creates trace
        /// contexts itself.
        pub fn trace_propagator(mut self, propagator: impl $crate::Propagator) -> Self {
            self.observers.set_propagator(propagator);
            self
        }

        /// The budgets that this side shares with other servers and clients; those of the process by default.
        pub fn resources(mut self, resources: $crate::Resources) -> Self {
            self.settings.resources = resources;
            self
        }

        /// Limits the queue of outbound calls, which wait there for authentication or for the peer's limits.
        /// While the queue is full, callers wait. The limits are a number of calls and the bytes of their
        /// arguments; 1,024 and 4 MiB by default.
        pub fn queue_limits(mut self, calls: usize, bytes: usize) -> Self {
            self.settings.queue = $crate::settings::QueueLimits { calls: calls.max(1), bytes };
            self
        }

        /// Limits the memory and the depth of the decoded values of one message; 64 MiB and 64 by default.
        pub fn decode_limits(mut self, limits: $crate::codec::DecodeLimits) -> Self {
            self.settings.decode = limits;
            self
        }

        /// How deep calls of the peer may be nested in calls of this side and so on; 32 by default.
        pub fn max_nesting(mut self, depth: u32) -> Self {
            self.settings.max_nesting = depth;
            self
        }

        /// How many calls the peer may cancel at once, and then per second, before the connection is closed;
        /// 20,000 and 10,000 by default.
        pub fn cancel_rate(mut self, burst: u32, per_second: u32) -> Self {
            self.settings.cancels = $crate::settings::CancelRate { burst, per_second };
            self
        }

        /// Sends the caller an id in place of a fault's message. The id and the message are logged.
        pub fn hide_faults(mut self) -> Self {
            self.settings.hides_faults = true;
            self
        }

        /// How many bytes of output may be pending for a peer. Above that, outbound calls wait and replies
        /// are refused; 8 MiB by default.
        pub fn output_budget(mut self, bytes: u64) -> Self {
            // With 0 no call could be sent.
            self.settings.output_budget = bytes.max(1);
            self
        }

        /// How long a peer may leave a frame incomplete, or not read any output, before the connection is
        /// closed with [`CloseReason::PeerStalled`](crate::CloseReason::PeerStalled); 30 seconds by default.
        pub fn stall_timeout(mut self, limit: ::std::time::Duration) -> Self {
            self.settings.stall_timeout = limit;
            self
        }

        /// How long a cancelled handler that has asked for cancellation may continue; 5 seconds by default.
        pub fn cancel_grace(mut self, grace: ::std::time::Duration) -> Self {
            self.settings.cancel_grace = grace;
            self
        }

        /// Pings a peer that has been silent for `interval`, and closes the connection with
        /// [`CloseReason::PeerStalled`](crate::CloseReason::PeerStalled) if nothing arrives within `timeout`
        /// after that; 15 and 10 seconds by default. A peer whose handlers block its thread that long counts
        /// as silent.
        pub fn keepalive(mut self, interval: ::std::time::Duration, timeout: ::std::time::Duration) -> Self {
            self.settings.keepalive = Some($crate::settings::Keepalive { interval, timeout });
            self
        }

        /// Disables keepalive: the peer is never pinged and may be silent without limit.
        pub fn without_keepalive(mut self) -> Self {
            self.settings.keepalive = None;
            self
        }

        /// How much the peers' schemas may differ from this side's; any compatible change by default.
        pub fn compatibility(mut self, compatibility: $crate::protocol::schema::Compatibility) -> Self {
            self.settings.compatibility = compatibility;
            self
        }
    };
}

pub(crate) use shared_setters;
