//! A method gains a declared error: an old caller receives it as a fault.

crate::pair!(throws_added, Compatible);

use kaa_rpc_runtime::{CallError, Failure};

use crate::calls::{both_sides, call};

struct Handlers;

both_sides!(Handlers, old: echo enter);

both_sides!(Handlers, new: fn enter(name: String) -> Result<String, Failure<new::Problem>> {
    if name.is_empty() { Err(new::Problem::Closed)? } else { Ok(name) }
});

#[tokio::test]
async fn generations_interoperate() {
    let result = call!(Handlers: old => new, |to| to.enter("")).unwrap_err();
    assert!(matches!(result, CallError::Fault(_)), "{result:?}");
    assert_eq!(call!(Handlers: old => new, |to| to.enter("me")), Ok("me".to_owned()));
    assert_eq!(call!(Handlers: new => old, |to| to.enter("")), Ok(String::new()));
}
