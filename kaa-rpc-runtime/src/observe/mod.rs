//! The program's observers of calls: interceptors, traces and metrics.
//!
//! Invariants: an unobserved call costs a few comparisons; observers receive exactly one end of each call;
//! arguments, results, values of metadata and secrets are never logged.

mod interceptor;
mod meter;
mod observation;
mod observers;

pub use interceptor::{Interceptor, ObservedCall};

pub(crate) use observers::Observers;
