//! The command as its users run it: a process with arguments, files, pipes and an exit code.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on should say so")]

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
