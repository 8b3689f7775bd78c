//! Streams of calls, with flow control by credit. [`Streams`] holds those of a connection.
//!
//! A call has at most one stream in each direction. Each end has one half of it: [`Sending`] has the credit,
//! and [`Receiving`] holds the received items and grants credit for those that were taken.

mod detail;
mod receiving;
mod sending;
mod table;

pub use detail::{Caller, EndCode, StreamDetail};
pub use receiving::{Receiving, StreamEnd, Taken};
pub use sending::Sending;
pub use table::{StreamId, Streams};
