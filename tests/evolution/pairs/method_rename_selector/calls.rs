//! A method is renamed, and `#[selector]` keeps its name on the wire.

crate::pair!(method_rename_selector, Equal);

use kaa_rpc_runtime::Fault;

use crate::calls::{both_sides, call};

struct Desk;

both_sides!(Desk, old: fn enter(name: String) -> Result<String, Fault> {
    Ok(name)
});

both_sides!(Desk, new: fn come(name: String) -> Result<String, Fault> {
    Ok(name)
});

#[tokio::test]
async fn crossing() {
    assert_eq!(call!(Desk: old => new, |to| to.enter("me")), Ok("me".to_owned()));
    assert_eq!(call!(Desk: new => old, |to| to.come("me")), Ok("me".to_owned()));
}
