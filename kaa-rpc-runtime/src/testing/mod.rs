//! What tests of services and of their callers need.

mod faults;

pub use faults::{Cut, Direction, Faults, FaultyIo};
