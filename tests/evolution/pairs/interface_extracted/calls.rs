//! Methods move into an interface that is included, and one interface into another.

crate::pair!(interface_extracted, Equal);

use kaa_rpc_runtime::Fault;

use crate::calls::{both_sides, call};

struct Desk;

both_sides!(Desk, old: fn enter(name: String) -> Result<String, Fault> {
    Ok(name)
}

fn uptime() -> Result<u64, Fault> {
    Ok(7)
});

both_sides!(Desk, new: fn enter(name: String) -> Result<String, Fault> {
    Ok(name)
}

fn uptime() -> Result<u64, Fault> {
    Ok(7)
});

#[tokio::test]
async fn crossing() {
    assert_eq!(call!(Desk: old => new, |to| to.uptime()), Ok(7));
    assert_eq!(call!(Desk: new => old, |to| to.uptime()), Ok(7));
    assert_eq!(call!(Desk: new => old, |to| to.enter("me")), Ok("me".to_owned()));
}
