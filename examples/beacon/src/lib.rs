//! A media database as two programs that call each other: `beacon-server` stores the items, `beacon-client` queries and
//! watches them, and confirms deletions. `beacon-demo` runs both and prints the calls between them.
//!
//! The schema is `kaa/beacon.kaa`; `service` serves one side of it, `client` the other.
//!
//! Invariants: only `store` uses the database, on blocking threads; every task belongs to a connection and ends with it;
//! a program exits with 0 after success, with 2 after a usage error, and with 1 after any other error.

mod arguments;
mod client;
mod conversation;
mod demo;
mod display;
mod folder;
mod program;
mod server;
mod service;
mod store;

/// Generated from `kaa/beacon.kaa`.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

use std::ffi::OsString;
use std::process::ExitCode;

/// The program `beacon-server`, with its arguments.
pub fn server(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    program::run("beacon-server", server::HELP, arguments, server::run)
}

/// The program `beacon-client`, with its arguments.
pub fn client(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    program::run("beacon-client", client::HELP, arguments, client::run)
}

/// The program `beacon-demo`. With `server` or `client` as its first argument it is that program, so that the demo can
/// start them.
pub fn demo(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match arguments.next() {
        None => demo::run(),
        Some(name) if name == "server" => server(arguments),
        Some(name) if name == "client" => client(arguments),
        Some(_) => demo::print_usage(),
    }
}
