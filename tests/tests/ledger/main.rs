//! Processes that are killed, connections that are cut, and ends that take leave, all of it under load: every call ends
//! once, and what its caller is told is what the ledger of the other process says.
//!
//! Moments are chosen by dice, and told apart by counts of calls that have ended, never by the clock.

mod client_killed;
mod cut;
mod drain;
mod kill;
mod support;
