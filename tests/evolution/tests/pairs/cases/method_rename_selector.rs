//! A method is renamed with a `#[selector]` that keeps its wire name.

crate::pair!(method_rename_selector, Equal);

use crate::calls::{both_sides, call};

struct Handlers;

both_sides!(Handlers, old: echo enter);
both_sides!(Handlers, new: echo come);

#[tokio::test]
async fn generations_interoperate() {
    assert_eq!(call!(Handlers: old => new, |to| to.enter("me")), Ok("me".to_owned()));
    assert_eq!(call!(Handlers: new => old, |to| to.come("me")), Ok("me".to_owned()));
}
