//! Processes are killed, connections are lost, and peers shut down, all under load. Every call ends once, and the result
//! that its caller received matches what the ledger of the other process says about its handler.
//!
//! Moments are chosen by a seeded random generator and measured by numbers of ended calls, never by the clock.

mod client_killed;
mod connection_lost;
mod server_killed;
mod shutdown;
mod support;
