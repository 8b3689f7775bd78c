//! The program `agents-demo`.

use kaa_rpc_runtime::Fault;

fn main() -> Result<(), Fault> {
    agents::demo(&std::env::args().skip(1).collect::<Vec<_>>())
}
