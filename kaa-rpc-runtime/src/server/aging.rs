//! Connections of a certain age are ended, so that clients spread anew over servers that have come meanwhile.
//!
//! Invariant: no call is lost by it: the connection takes leave as at a shutdown.

use std::sync::Arc;
use std::time::Duration;

use crate::connection::{Driver, Link};
use crate::error::CloseReason;

/// Largest part by which an age is shortened or lengthened, lest connections that began together end together.
const SPREAD: f64 = 0.1;

/// How old a connection may become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Age {
    pub(super) longest: Duration,
    /// How long what runs then may take.
    pub(super) grace: Duration,
}

/// Drives a connection to its end, which comes at this age at the latest, and the grace behind it.
pub(super) async fn run(link: &Arc<Link>, driver: Driver, age: Option<Age>) -> CloseReason {
    let mut running = std::pin::pin!(driver.run());
    let Some(age) = age else { return running.await };
    tokio::select! {
        reason = &mut running => return reason,
        () = tokio::time::sleep(crate::random::spread(age.longest, SPREAD)) => link.start_shutdown(),
    }
    tokio::select! {
        reason = &mut running => reason,
        () = tokio::time::sleep(age.grace) => CloseReason::ClosedLocally,
    }
}
