//! Methods move into an included interface, and that interface includes another.

crate::pair!(interface_extracted, Equal);

use kaa_rpc_runtime::Fault;

use crate::calls::{both_sides, call};

struct Handlers;

both_sides!(Handlers, old: echo enter; fn uptime() -> Result<u64, Fault> {
    Ok(7)
});

both_sides!(Handlers, new: echo enter; fn uptime() -> Result<u64, Fault> {
    Ok(7)
});

#[tokio::test]
async fn generations_interoperate() {
    assert_eq!(call!(Handlers: old => new, |to| to.uptime()), Ok(7));
    assert_eq!(call!(Handlers: new => old, |to| to.uptime()), Ok(7));
    assert_eq!(call!(Handlers: new => old, |to| to.enter("me")), Ok("me".to_owned()));
}
