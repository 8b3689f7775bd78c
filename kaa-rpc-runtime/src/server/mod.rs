//! The accepting side.

mod accepting;
mod aging;
mod builder;
mod event;
mod registry;
mod running;

pub use builder::ServerBuilder;
pub use event::{Refused, ServerEvent};
pub use registry::Peers;
pub use running::Server;
