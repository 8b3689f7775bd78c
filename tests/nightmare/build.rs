//! Generates the schema whose every name is legal and unkind.

fn main() -> kaa_rpc_build::Result {
    kaa_rpc_build::configure()
        .root("../../kaa-rpc-build/tests/fixtures/hygiene")
        .default_stubs(true)
        .compile()
}
