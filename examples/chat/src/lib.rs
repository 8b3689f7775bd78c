//! A chat in two programs: `chat-server` knows who is there and pushes what one says to all the others; `chat-client` is a
//! person's keyboard and screen. The contract is `kaa/chat.kaa`.

pub mod client;
pub mod demo;
pub mod server;

/// What the build script made of `kaa/chat.kaa`.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

use std::fmt::Display;
use std::io::{self, Write};

use kaa_rpc_runtime::Fault;

/// The two arguments of either program: where the server listens, and the file with the secret.
///
/// # Errors
/// There are more or fewer.
pub fn arguments(mut given: impl Iterator<Item = String>) -> Result<(String, String), Fault> {
    match (given.next(), given.next(), given.next()) {
        (Some(address), Some(secret), None) => Ok((address, secret)),
        _ => Err(Fault::new(
            "two arguments are needed: an address (unix:chat.socket) and a file (chat.secret)",
        )),
    }
}

/// Prints a line at once, also where the output is a pipe.
fn show(line: impl Display) -> io::Result<()> {
    let mut screen = io::stdout().lock();
    writeln!(screen, "{line}")?;
    screen.flush()
}
