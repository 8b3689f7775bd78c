//! A method is renamed without `#[selector]`: it is another method.

crate::pair!(method_rename, Compatible);

use crate::calls::{both_sides, call, unknown_method};

struct Handlers;

both_sides!(Handlers, old: echo enter);
both_sides!(Handlers, new: echo come);

#[tokio::test]
async fn generations_interoperate() {
    assert_eq!(call!(Handlers: old => new, |to| to.enter("me")), unknown_method("Meeting.enter"));
    assert_eq!(call!(Handlers: new => old, |to| to.come("me")), unknown_method("Meeting.come"));
}
