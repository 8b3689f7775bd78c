//! The accepting side.

mod accepting;
mod aging;
mod builder;
mod event;
mod guest;
mod keys;
mod registry;
mod running;
#[cfg(feature = "process")]
mod spawning;

pub use builder::ServerBuilder;
pub use event::{Refused, ServerEvent};
pub use registry::Peers;
pub use running::Server;
#[cfg(feature = "process")]
pub use spawning::SpawnedPeer;
