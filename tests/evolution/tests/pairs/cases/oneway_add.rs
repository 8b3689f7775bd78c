//! A oneway method is added: a peer without it drops the call, and the connection stays open.

crate::pair!(oneway_add, Compatible);

use crate::calls::{both_sides, call};

struct Handlers;

both_sides!(Handlers, old: echo enter);
both_sides!(Handlers, new: echo enter);

#[tokio::test]
async fn generations_interoperate() {
    assert_eq!(call!(Handlers: new => old, |to| to.note("noted")), Ok(()));
    assert_eq!(call!(Handlers: old => new, |to| to.enter("me")), Ok("me".to_owned()));
}
