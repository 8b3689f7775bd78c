//! Ends connections that reach their maximum age, so that clients spread over servers that were added in the
//! meantime.
//!
//! Invariant: no call is lost. The connection drains as in a shutdown.

use std::sync::Arc;
use std::time::Duration;

use crate::connection::{Driver, Link};
use crate::error::CloseReason;

/// The maximum random change of an age, as a fraction. Without it, connections that began together would end
/// together.
const JITTER: f64 = 0.1;

/// The maximum age of connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Age {
    pub(super) max: Duration,
    /// How long calls may keep running after that.
    pub(super) grace: Duration,
}

/// Drives a connection to its end, which comes at the latest when its maximum age and the grace period have
/// passed.
pub(super) async fn run(link: &Arc<Link>, driver: Driver, age: Option<Age>) -> CloseReason {
    let mut running = std::pin::pin!(driver.run());
    let Some(age) = age else { return running.await };
    tokio::select! {
        reason = &mut running => return reason,
        () = tokio::time::sleep(crate::random::with_jitter(age.max, JITTER)) => link.start_shutdown(),
    }
    tokio::select! {
        reason = &mut running => reason,
        () = tokio::time::sleep(age.grace) => CloseReason::ClosedLocally,
    }
}
