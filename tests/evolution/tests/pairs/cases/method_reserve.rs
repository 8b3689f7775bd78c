//! A method is removed and its name reserved, which is the same on the wire.

crate::pair!(method_reserve, Compatible);

use crate::calls::{assert_echo, both_sides, call, unknown_method};

struct Handlers;

both_sides!(Handlers, old: echo enter, leave);
both_sides!(Handlers, new: echo enter);

#[tokio::test]
async fn generations_interoperate() {
    assert_eq!(call!(Handlers: old => new, |to| to.leave("me")), unknown_method("Meeting.leave"));
    assert_echo!(Handlers, enter);
}
