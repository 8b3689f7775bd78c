//! A chat in two programs: `chat-server` sends what one person says to all others; `chat-client` is a person's keyboard
//! and screen. The schema is `kaa/chat.kaa`.

pub mod client;
pub mod demo;
pub mod server;

/// Generated from `kaa/chat.kaa`.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

use std::fmt::Display;
use std::io::{self, Write};

use kaa_rpc_runtime::Fault;

/// The two arguments of both programs: the address of the server, and the file with the secret.
///
/// # Errors
/// There are more or fewer arguments.
pub fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<(String, String), Fault> {
    match (arguments.next(), arguments.next(), arguments.next()) {
        (Some(address), Some(secret), None) => Ok((address, secret)),
        _ => {
            Err(Fault::new("expected two arguments: an address (unix:chat.socket) and a file (chat.secret)"))
        }
    }
}

/// Prints a line and flushes it, because output to a pipe is buffered.
fn print(line: impl Display) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}
