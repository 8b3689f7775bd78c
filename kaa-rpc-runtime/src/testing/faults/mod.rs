//! A transport that fails as a test tells it to.
//!
//! Invariants:
//! - What fails, and at which byte, depends only on the settings. Time is tokio's.
//! - Only a cut loses bytes: those in transit, and all that follow. No byte is duplicated or changed.

mod flow;
mod handle;
mod settings;
mod shared;
mod stream;

pub use handle::{DirectionFaults, Faults};
pub use settings::Cut;
pub use stream::FaultyIo;
