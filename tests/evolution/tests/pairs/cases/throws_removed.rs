//! A method loses its declared error: an error of an old peer is now a fault.

crate::pair!(throws_removed, Compatible);

use kaa_rpc_runtime::{CallError, Failure};

use crate::calls::{both_sides, call};

struct Handlers;

both_sides!(Handlers, old: fn enter(name: String) -> Result<String, Failure<old::Problem>> {
    if name.is_empty() { Err(old::Problem::Closed)? } else { Ok(name) }
});

both_sides!(Handlers, new: echo enter);

#[tokio::test]
async fn generations_interoperate() {
    let result = call!(Handlers: new => old, |to| to.enter("")).unwrap_err();
    assert!(matches!(result, CallError::Fault(_)), "{result:?}");
    assert_eq!(call!(Handlers: new => old, |to| to.enter("me")), Ok("me".to_owned()));
    assert_eq!(call!(Handlers: old => new, |to| to.enter("")), Ok(String::new()));
}
