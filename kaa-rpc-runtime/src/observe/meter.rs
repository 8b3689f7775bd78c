//! Metrics for whatever recorder the program has installed for the crate `metrics`, behind the feature of that name.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `kaa_rpc_calls_total` | counter | `direction`, `service`, `method`, `outcome` |
//! | `kaa_rpc_call_duration_seconds` | histogram | `direction`, `service`, `method` |
//! | `kaa_rpc_connections` | gauge | `side` (`accepting`, `connecting`) |
//! | `kaa_rpc_connections_total` | counter | `side` |
//! | `kaa_rpc_refused_connections_total` | counter | |
//! | `kaa_rpc_bytes_total` | counter | `side`, `direction` (`read`, `written`); counted when a connection ends |

use super::end::CallEnd;
use super::interceptor::ObservedCall;
use crate::connection::Side;

/// Whether every call is counted.
pub(super) const IS_ON: bool = cfg!(feature = "metrics");

#[cfg(feature = "metrics")]
pub(super) fn call_ended(call: &ObservedCall, end: CallEnd) {
    let (direction, method) = (call.direction.as_str(), call.method);
    metrics::counter!(
        "kaa_rpc_calls_total",
        "direction" => direction,
        "service" => method.service,
        "method" => method.name,
        "outcome" => end.as_str()
    )
    .increment(1);
    metrics::histogram!(
        "kaa_rpc_call_duration_seconds",
        "direction" => direction,
        "service" => method.service,
        "method" => method.name
    )
    .record(call.began.elapsed().as_secs_f64());
}

#[cfg(not(feature = "metrics"))]
pub(super) fn call_ended(_call: &ObservedCall, _end: CallEnd) {}

/// A connection is authenticated.
pub(crate) fn connection_opened(side: Side) {
    #[cfg(feature = "metrics")]
    {
        metrics::gauge!("kaa_rpc_connections", "side" => word(side)).increment(1.0);
        metrics::counter!("kaa_rpc_connections_total", "side" => word(side)).increment(1);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = side;
}

/// It is over, having read and written so many bytes.
pub(crate) fn connection_closed(side: Side, (read, written): (u64, u64)) {
    #[cfg(feature = "metrics")]
    {
        let side = word(side);
        metrics::gauge!("kaa_rpc_connections", "side" => side).decrement(1.0);
        let bytes =
            |direction| metrics::counter!("kaa_rpc_bytes_total", "side" => side, "direction" => direction);
        bytes("read").increment(read);
        bytes("written").increment(written);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (side, read, written);
}

/// Somebody was not let in.
pub(crate) fn connection_refused() {
    #[cfg(feature = "metrics")]
    metrics::counter!("kaa_rpc_refused_connections_total").increment(1);
}

#[cfg(feature = "metrics")]
const fn word(side: Side) -> &'static str {
    match side {
        Side::Accepting => "accepting",
        Side::Connecting => "connecting",
    }
}
