//! A method is added: a peer without it returns `UnknownMethod`, and the connection stays open.

crate::pair!(method_add, Compatible);

use crate::calls::{assert_echo, both_sides, call, unknown_method};

struct Handlers;

both_sides!(Handlers, old: echo enter);
both_sides!(Handlers, new: echo enter, leave);

#[tokio::test]
async fn generations_interoperate() {
    assert_eq!(call!(Handlers: new => old, |to| to.leave("me")), unknown_method("Meeting.leave"));
    assert_echo!(Handlers, enter);
}
