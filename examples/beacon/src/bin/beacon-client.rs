//! The program `beacon-client`.

use std::process::ExitCode;

fn main() -> ExitCode {
    beacon::client(std::env::args_os().skip(1))
}
