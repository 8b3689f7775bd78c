//! One client that balances its calls over three servers: tower's balance, retry and limits around
//! `kaa_rpc_runtime::tower::ProxyService`. Copy the module `balanced`; `demo` starts the servers, kills one of them
//! during calls, starts it again, and counts the answers.

pub mod balanced;
pub mod demo;
pub mod server;

/// Generated from `kaa/balance.kaa`.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line and flushes it, because output to a pipe is buffered.
fn print(line: impl Display) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}
