//! A method comes to declare an error: an old caller is told a fault.

crate::pair!(throws_added, Compatible);

use kaa_rpc_runtime::{CallError, Failure, Fault};

use crate::calls::{both_sides, call};

struct Desk;

both_sides!(Desk, old: fn enter(name: String) -> Result<String, Fault> {
    Ok(name)
});

both_sides!(Desk, new: fn enter(name: String) -> Result<String, Failure<new::Problem>> {
    if name.is_empty() { Err(new::Problem::Closed)? } else { Ok(name) }
});

#[tokio::test]
async fn crossing() {
    let told = call!(Desk: old => new, |to| to.enter("")).unwrap_err();
    assert!(matches!(told, CallError::Fault(_)), "{told:?}");
    assert_eq!(call!(Desk: old => new, |to| to.enter("me")), Ok("me".to_owned()));
    assert_eq!(call!(Desk: new => old, |to| to.enter("")), Ok(String::new()));
}
