//! The client: the side that connects.
//!
//! Invariants:
//! - `connect` returns at once, and calls can be made at once.
//! - One task owns all connections of a client, including reconnections. It ends with the [`Client`].
//! - When the connection ends permanently, every queued call ends with the reason.

mod builder;
mod events;
mod handle;
#[cfg(feature = "process")]
mod process;
mod target;
mod task;

pub use builder::ClientBuilder;
pub use events::{ClientEvent, ClientStatus};
pub use handle::Client;
