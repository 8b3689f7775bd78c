//! The echo service that all benchmarks call, and the workloads whose instructions are counted.

pub mod echo;
pub mod workload;
