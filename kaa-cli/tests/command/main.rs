//! Tests of the command as a process, with arguments, files, pipes and exit codes.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod breaking;
mod check;
mod codes;
mod discovery;
mod documentation;
mod explanations;
mod formatting;
mod freezing;
mod generation;
mod help;
mod hostile;
mod input;
mod linting;
mod schema;
mod support;
