//! A method declares no error any more: an old peer may still fail with it, which is a fault now.

crate::pair!(throws_removed, Compatible);

use kaa_rpc_runtime::{CallError, Failure, Fault};

use crate::calls::{both_sides, call};

struct Desk;

both_sides!(Desk, old: fn enter(name: String) -> Result<String, Failure<old::Problem>> {
    if name.is_empty() { Err(old::Problem::Closed)? } else { Ok(name) }
});

both_sides!(Desk, new: fn enter(name: String) -> Result<String, Fault> {
    Ok(name)
});

#[tokio::test]
async fn crossing() {
    let told = call!(Desk: new => old, |to| to.enter("")).unwrap_err();
    assert!(matches!(told, CallError::Fault(_)), "{told:?}");
    assert_eq!(call!(Desk: new => old, |to| to.enter("me")), Ok("me".to_owned()));
    assert_eq!(call!(Desk: old => new, |to| to.enter("")), Ok(String::new()));
}
