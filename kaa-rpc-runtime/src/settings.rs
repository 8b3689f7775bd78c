//! Settings that clients and servers have in common, with their defaults (`docs/wire.md`, section 6).

use std::time::Duration;

use crate::protocol::limits::Limits;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) handshake_timeout: Duration,
    pub(crate) output_budget: u64,
    pub(crate) cancel_grace: Duration,
    pub(crate) stall_limit: Duration,
    pub(crate) hides_faults: bool,
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
        }
    }
}
