//! The server: the side that accepts connections.
//!
//! A connection enters through [`accept`], is authenticated and driven by [`task`], and is listed in
//! [`registry`] as long as it is open.

mod accept;
mod age;
mod builder;
mod events;
mod handle;
mod keys;
mod origin;
#[cfg(feature = "process")]
mod process;
mod registry;
mod shared;
mod task;
mod unauthenticated;

pub use builder::ServerBuilder;
pub use events::{Refused, ServerEvent};
pub use handle::Server;
#[cfg(feature = "process")]
pub use process::SpawnedPeer;
pub use registry::Peers;
