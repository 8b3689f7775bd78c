//! An interface is included, which adds its methods.

crate::pair!(interface_add, Compatible);

use kaa_rpc_runtime::Fault;

use crate::calls::{assert_echo, both_sides, call, unknown_method};

struct Handlers;

both_sides!(Handlers, old: echo enter);

both_sides!(Handlers, new: echo enter; fn uptime() -> Result<u64, Fault> {
    Ok(7)
});

#[tokio::test]
async fn generations_interoperate() {
    assert_eq!(call!(Handlers: new => old, |to| to.uptime()), unknown_method("Meeting.uptime"));
    assert_echo!(Handlers, enter);
}
