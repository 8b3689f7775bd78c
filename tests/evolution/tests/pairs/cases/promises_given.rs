//! A method becomes idempotent and detached, and gains a timeout: none of them is part of the contract.

crate::pair!(promises_given, Equal);

use crate::calls::{assert_echo, both_sides};

struct Handlers;

both_sides!(Handlers, old: echo enter);
both_sides!(Handlers, new: echo enter);

#[tokio::test]
async fn generations_interoperate() {
    assert_echo!(Handlers, enter);
}
