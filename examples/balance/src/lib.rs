//! One client that balances its calls over three servers: tower's balance, retry and limits around
//! `kaa_rpc_runtime::tower::ProxyService`. `balanced` is what to copy; `demo` starts the servers, kills one of them while
//! calls are under way, starts it again, and counts.

pub mod balanced;
pub mod demo;
pub mod server;

/// What the build script made of `kaa/balance.kaa`.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line at once, also where the output is a pipe.
fn show(line: impl Display) -> io::Result<()> {
    let mut screen = io::stdout().lock();
    writeln!(screen, "{line}")?;
    screen.flush()
}
