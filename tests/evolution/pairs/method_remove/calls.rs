//! A method is removed: who still calls it is told.

crate::pair!(method_remove, Compatible);

use kaa_rpc_runtime::{CallError, Fault};

use crate::calls::{both_sides, call};

struct Desk;

both_sides!(Desk, old: fn enter(name: String) -> Result<String, Fault> {
    Ok(name)
}

fn leave(name: String) -> Result<String, Fault> {
    Ok(name)
});

both_sides!(Desk, new: fn enter(name: String) -> Result<String, Fault> {
    Ok(name)
});

#[tokio::test]
async fn crossing() {
    assert_eq!(
        call!(Desk: old => new, |to| to.leave("me")),
        Err(CallError::UnknownMethod { method: "pair.Meeting.leave".to_owned() })
    );
    assert_eq!(call!(Desk: old => new, |to| to.enter("me")), Ok("me".to_owned()));
    assert_eq!(call!(Desk: new => old, |to| to.enter("me")), Ok("me".to_owned()));
}
