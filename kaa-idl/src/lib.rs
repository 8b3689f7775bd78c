//! Under construction.

pub mod schema;
