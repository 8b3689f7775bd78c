//! A service whose methods take and return streams of numbers, the same on both sides, and a connected pair
//! of them.

mod handlers;
mod methods;
mod pair;
mod state;

pub use handlers::serve;
pub use methods::*;
pub use pair::*;
pub use state::{Counts, ServiceState, TrackedStream};
