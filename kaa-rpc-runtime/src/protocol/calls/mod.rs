//! The tables of a connection's calls: those that this side makes ([`OutboundCalls`]) and those of the peer
//! ([`InboundCalls`]).

mod inbound;
mod outbound;

pub use inbound::{Admission, InboundCalls};
pub use outbound::{AbandonedCall, CallPoll, CallState, OutboundCalls, Terminal};
