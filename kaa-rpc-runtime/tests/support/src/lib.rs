//! Support that several test programs of the runtime share: waits, processes, sockets, a scripted peer, two
//! services.
//!
//! Invariants
//! - Every wait has a limit, and names what it waits for when it fails.
//! - [`texts`] and [`numbers`] are written by hand as the generator would write them.

#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "test support panics where a test fails, and most names need no docs"
)]

pub mod byte_streams;
pub mod numbers;
pub mod processes;
pub mod scripted;
pub mod sockets;
pub mod texts;
pub mod waiting;

use kaa_rpc_runtime::Secret;

/// Asserts that a value matches a pattern, and prints the value if it does not.
#[macro_export]
macro_rules! assert_matches {
    ($value:expr, $($pattern:tt)+) => {
        match &$value {
            $($pattern)+ => {}
            value => panic!("expected {}, but got {value:?}", stringify!($($pattern)+)),
        }
    };
}

/// The secret of all peers that know it.
pub fn secret() -> Secret {
    Secret::new(*b"0123456789abcdef0123456789abcdef").unwrap()
}
