//! The program `agent`.

use kaa_rpc_runtime::Fault;

fn main() -> Result<(), Fault> {
    agents::agent(&std::env::args().skip(1).collect::<Vec<_>>())
}
