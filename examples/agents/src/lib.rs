//! A controller and its agents, over TLS: `controller` streams jobs to the connected `agent`s, and they stream their
//! progress back. `agents-demo` runs all of them, and kills and restarts some.
//!
//! The schema is `kaa/fleet.kaa`; [`controller`] serves one side of it, [`agent`] the other.

mod agent;
mod controller;
mod demo;
mod screen;
mod work;

/// Generated from `kaa/fleet.kaa`.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

use kaa_rpc_runtime::Fault;

/// The program `controller`, with its arguments.
///
/// # Errors
/// It cannot start.
pub fn controller(arguments: &[String]) -> Result<(), Fault> {
    match arguments {
        [address, secret] => controller::run(address, secret),
        _ => Err(Fault::new(controller::USAGE)),
    }
}

/// The program `agent`, with its arguments.
///
/// # Errors
/// It cannot start, or the controller refuses it.
pub fn agent(arguments: &[String]) -> Result<(), Fault> {
    match arguments {
        [name, address, secret] => agent::run(name, address, secret, None),
        [name, address, secret, pause] => agent::run(name, address, secret, Some(pause.parse()?)),
        _ => Err(Fault::new(agent::USAGE)),
    }
}

/// The program `agents-demo`. With `controller` or `agent` as its first argument it is that program, so that the demo can
/// start them.
///
/// # Errors
/// A step of the demo failed.
pub fn demo(arguments: &[String]) -> Result<(), Fault> {
    match arguments.split_first() {
        None => demo::run(),
        Some((name, arguments)) if name == "controller" => controller(arguments),
        Some((name, arguments)) if name == "agent" => agent(arguments),
        Some(_) => Err(Fault::new("agents-demo takes no arguments")),
    }
}
