//! A service whose methods take a text and return one, the same on both sides, and a connected pair of them.

mod handlers;
mod methods;
mod pair;
mod state;

pub use handlers::serve;
pub use methods::*;
pub use pair::*;
pub use state::{Counts, ServiceState};
