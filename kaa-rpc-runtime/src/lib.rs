//! Under construction.

pub mod codec;
mod timestamp;

pub use timestamp::Timestamp;
