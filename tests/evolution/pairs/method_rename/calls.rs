//! A method is renamed without `#[selector]`: it is another method.

crate::pair!(method_rename, Compatible);

use kaa_rpc_runtime::{CallError, Fault};

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
    assert_eq!(
        call!(Desk: old => new, |to| to.enter("me")),
        Err(CallError::UnknownMethod { method: "pair.Meeting.enter".to_owned() })
    );
    assert_eq!(
        call!(Desk: new => old, |to| to.come("me")),
        Err(CallError::UnknownMethod { method: "pair.Meeting.come".to_owned() })
    );
}
