//! Compiles `kaa/plugin.kaa`.

fn main() -> kaa_rpc_build::Result {
    kaa_rpc_build::compile()
}
