//! An interface is included: its methods are added.

crate::pair!(interface_add, Compatible);

use kaa_rpc_runtime::{CallError, Fault};

use crate::calls::{both_sides, call};

struct Desk;

both_sides!(Desk, old: fn enter(name: String) -> Result<String, Fault> {
    Ok(name)
});

both_sides!(Desk, new: fn enter(name: String) -> Result<String, Fault> {
    Ok(name)
}

fn uptime() -> Result<u64, Fault> {
    Ok(7)
});

#[tokio::test]
async fn crossing() {
    assert_eq!(
        call!(Desk: new => old, |to| to.uptime()),
        Err(CallError::UnknownMethod { method: "pair.Meeting.uptime".to_owned() })
    );
    assert_eq!(call!(Desk: new => old, |to| to.enter("me")), Ok("me".to_owned()));
    assert_eq!(call!(Desk: old => new, |to| to.enter("me")), Ok("me".to_owned()));
}
