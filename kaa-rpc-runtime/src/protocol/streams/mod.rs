//! Streams of calls: what is sent item by item along with a call ([`Streams`]), by credit.
//!
//! A call has at most one stream in either direction. Both ends keep a half of it: [`Sending`], which has credit, and
//! [`Receiving`], which holds what has come and gives credit back for what was taken.

mod detail;
mod receiving;
mod sending;
mod table;

pub use detail::{Caller, EndCode, StreamDetail};
pub use receiving::{Receiving, StreamEnd, Taken};
pub use sending::Sending;
pub use table::{StreamId, Streams};
