//! Call correlation: two tables, my questions ([`Outgoing`]) and your questions ([`Incoming`]).

mod incoming;
mod outgoing;

pub use incoming::{Admission, Incoming};
pub use outgoing::{Abandoned, Made, Outgoing, Poll, Terminal};
