//! The program `beacon-server`.

use std::process::ExitCode;

fn main() -> ExitCode {
    beacon::server(std::env::args_os().skip(1))
}
