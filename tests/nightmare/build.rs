//! Generates code from a schema whose names are legal and collide with Rust's.

fn main() -> kaa_rpc_build::Result {
    kaa_rpc_build::configure()
        .root("../../kaa-rpc-build/tests/fixtures/hygiene")
        .default_stubs(true)
        .compile()
}
