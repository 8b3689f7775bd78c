//! A method becomes idempotent, detached, and gets a timeout, which are no part of the contract.

crate::pair!(promises_given, Equal);

use kaa_rpc_runtime::Fault;

use crate::calls::{both_sides, call};

struct Desk;

both_sides!(Desk, old: fn enter(name: String) -> Result<String, Fault> {
    Ok(name)
});

both_sides!(Desk, new: fn enter(name: String) -> Result<String, Fault> {
    Ok(name)
});

#[tokio::test]
async fn crossing() {
    assert_eq!(call!(Desk: old => new, |to| to.enter("me")), Ok("me".to_owned()));
    assert_eq!(call!(Desk: new => old, |to| to.enter("me")), Ok("me".to_owned()));
}
