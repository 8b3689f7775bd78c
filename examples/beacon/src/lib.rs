//! A media database as two programs that call each other: `beacon-server` keeps the items, `beacon-client` asks for
//! them, watches them and confirms what is deleted. `beacon-demo` runs both and shows what they say.
//!
//! The contract is `kaa/beacon.kaa`; `service` serves one side of it, `client` the other.
//!
//! Invariants: the database is touched by `store` alone, on threads that may block; every task belongs to a
//! connection and ends with it; a program ends with 0 if it did what it was asked, with 2 if it did not understand,
//! and with 1 otherwise.

mod arguments;
mod client;
mod conversation;
mod demo;
mod folder;
mod program;
mod server;
mod service;
mod shown;
mod store;

/// What the build script made of `kaa/beacon.kaa`.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

use std::ffi::OsString;
use std::process::ExitCode;

/// `beacon-server`, with the arguments after the program's name.
pub fn server(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    program::run("beacon-server", server::HELP, arguments, server::run)
}

/// `beacon-client`, with the arguments after the program's name.
pub fn client(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    program::run("beacon-client", client::HELP, arguments, client::run)
}

/// `beacon-demo`. It is also both other programs, by its first argument, so that it can start them.
pub fn demo(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    match arguments.next() {
        None => demo::run(),
        Some(name) if name == "server" => server(arguments),
        Some(name) if name == "client" => client(arguments),
        Some(_) => demo::explain(),
    }
}
