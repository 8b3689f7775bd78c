//! Metrics of connections, for the recorder that the program has installed. They need the feature `metrics`.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `kaa_rpc_connections` | gauge | `side` (`accepting`, `connecting`) |
//! | `kaa_rpc_connections_total` | counter | `side` |
//! | `kaa_rpc_refused_connections_total` | counter | |
//! | `kaa_rpc_bytes_total` | counter | `side`, `direction` (`read`, `written`); counted at the end |

use super::status::Side;

/// A connection was authenticated.
pub(crate) fn connection_opened(side: Side) {
    #[cfg(feature = "metrics")]
    {
        metrics::gauge!("kaa_rpc_connections", "side" => label(side)).increment(1.0);
        metrics::counter!("kaa_rpc_connections_total", "side" => label(side)).increment(1);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = side;
}

/// A connection ended, after it had read and written these numbers of bytes.
pub(crate) fn connection_closed(side: Side, (read, written): (u64, u64)) {
    #[cfg(feature = "metrics")]
    {
        let side = label(side);
        metrics::gauge!("kaa_rpc_connections", "side" => side).decrement(1.0);
        let bytes =
            |direction| metrics::counter!("kaa_rpc_bytes_total", "side" => side, "direction" => direction);
        bytes("read").increment(read);
        bytes("written").increment(written);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (side, read, written);
}

/// A connection was refused.
pub(crate) fn connection_refused() {
    #[cfg(feature = "metrics")]
    metrics::counter!("kaa_rpc_refused_connections_total").increment(1);
}

#[cfg(feature = "metrics")]
const fn label(side: Side) -> &'static str {
    match side {
        Side::Accepting => "accepting",
        Side::Connecting => "connecting",
    }
}
