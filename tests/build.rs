//! Generates code from the schemas of the whole-system tests, as any user would.

fn main() -> kaa_rpc_build::Result {
    kaa_rpc_build::compile()
}
