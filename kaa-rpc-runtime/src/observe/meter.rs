//! Metrics of calls, for the recorder that the program has installed. They need the feature `metrics`.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `kaa_rpc_calls_total` | counter | `direction`, `service`, `method`, `outcome` |
//! | `kaa_rpc_call_duration_seconds` | histogram | `direction`, `service`, `method` |

use super::interceptor::ObservedCall;
use crate::error::CallEnd;

/// Whether all calls are counted.
pub(super) const IS_ENABLED: bool = cfg!(feature = "metrics");

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
    .record(call.started.elapsed().as_secs_f64());
}

#[cfg(not(feature = "metrics"))]
pub(super) fn call_ended(_call: &ObservedCall, _end: CallEnd) {}
