//! The program `controller`.

use kaa_rpc_runtime::Fault;

fn main() -> Result<(), Fault> {
    agents::controller(&std::env::args().skip(1).collect::<Vec<_>>())
}
