//! A controller and its agents, over TLS: `controller` gives jobs to whichever `agent`s are connected, and streams
//! their data there and their progress back. `agents-demo` runs both, and loses some of them on the way.
//!
//! The contract is `kaa/fleet.kaa`; [`controller`] serves one side of it, [`agent`] the other.

mod agent;
mod controller;
mod demo;
mod screen;
mod work;

/// What the build script made of `kaa/fleet.kaa`.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

use kaa_rpc_runtime::Fault;

/// The program `controller`, with the arguments after its name.
///
/// # Errors
/// Why it cannot begin.
pub fn controller(arguments: &[String]) -> Result<(), Fault> {
    match arguments {
        [address, secret] => controller::run(address, secret),
        _ => Err(Fault::new(controller::USAGE)),
    }
}

/// The program `agent`, with the arguments after its name.
///
/// # Errors
/// Why it cannot begin, or was turned away.
pub fn agent(arguments: &[String]) -> Result<(), Fault> {
    match arguments {
        [name, address, secret] => agent::run(name, address, secret, None),
        [name, address, secret, rest] => agent::run(name, address, secret, Some(rest.parse()?)),
        _ => Err(Fault::new(agent::USAGE)),
    }
}

/// The program `agents-demo`. It is also both other programs, by its first argument, so that it can start them.
///
/// # Errors
/// What did not go as it should.
pub fn demo(arguments: &[String]) -> Result<(), Fault> {
    match arguments.split_first() {
        None => demo::run(),
        Some((name, arguments)) if name == "controller" => controller(arguments),
        Some((name, arguments)) if name == "agent" => agent(arguments),
        Some(_) => Err(Fault::new("agents-demo takes no arguments")),
    }
}
