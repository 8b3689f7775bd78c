//! Streams of a call: what is sent along with the arguments, and what a method returns item by item.

mod outgoing;

pub use outgoing::{IntoOutgoing, Outgoing};
