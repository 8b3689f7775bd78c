//! The settings of a link, which clients and servers share, with their defaults (`docs/wire.md`, section 6).

use std::time::Duration;

use crate::codec::DecodeLimits;
use crate::protocol::limits::Limits;
use crate::protocol::schema::Compatibility;
use crate::resources::Resources;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) handshake_timeout: Duration,
    /// With more bytes of pending output, outbound calls wait and replies are replaced by an error.
    pub(crate) output_budget: u64,
    /// How long a cancelled handler that has asked for cancellation may continue.
    pub(crate) cancel_grace: Duration,
    /// How long the peer may leave a frame incomplete or not read any output.
    pub(crate) stall_timeout: Duration,
    /// Whether callers receive an id in place of a fault's message. The id and the message are logged.
    pub(crate) hides_faults: bool,
    /// How much the peer's schemas may differ from this side's.
    pub(crate) compatibility: Compatibility,
    /// `None` if the peer is never pinged.
    pub(crate) keepalive: Option<Keepalive>,
    pub(crate) resources: Resources,
    pub(crate) queue: QueueLimits,
    pub(crate) decode: DecodeLimits,
    /// How deep calls may be nested in calls.
    pub(crate) max_nesting: u32,
    /// How often the peer may cancel calls.
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
            resources: Resources::process_wide(),
            queue: QueueLimits { calls: 1024, bytes: 4 * 1024 * 1024 },
            decode: DecodeLimits::default(),
            max_nesting: 32,
            cancels: CancelRate { burst: 20_000, per_second: 10_000 },
        }
    }
}

/// How often the peer may cancel calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CancelRate {
    pub(crate) burst: u32,
    pub(crate) per_second: u32,
}

/// How long the peer may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keepalive {
    /// Silence before a ping is sent.
    pub(crate) interval: Duration,
    /// Silence after the ping before the connection is closed.
    pub(crate) timeout: Duration,
}

/// Limits of the queue of outbound calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueLimits {
    pub(crate) calls: usize,
    /// Bytes of arguments. An empty queue accepts one call of any size.
    pub(crate) bytes: usize,
}
