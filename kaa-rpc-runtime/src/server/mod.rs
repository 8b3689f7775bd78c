//! The accepting side.

mod accepting;
mod builder;
mod events;
mod registry;
mod running;

pub use builder::ServerBuilder;
pub use events::{Events, Refused, ServerEvent};
pub use registry::Peers;
pub use running::{Server, ShutdownReport};
