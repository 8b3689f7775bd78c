//! The program `beacon-demo`.

use std::process::ExitCode;

fn main() -> ExitCode {
    beacon::demo(std::env::args_os().skip(1))
}
