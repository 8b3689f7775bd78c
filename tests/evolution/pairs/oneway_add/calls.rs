//! A oneway method is added: a peer that lacks it drops the call, and the connection goes on.

crate::pair!(oneway_add, Compatible);

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
    assert_eq!(call!(Desk: new => old, |to| to.note("noted")), Ok(()));
    assert_eq!(call!(Desk: old => new, |to| to.enter("me")), Ok("me".to_owned()));
}
