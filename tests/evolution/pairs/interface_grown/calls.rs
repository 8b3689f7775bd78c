//! An interface that is included grows, and a parameter of it.

crate::pair!(interface_grown, Compatible);

use kaa_rpc_runtime::{CallError, Fault};

use crate::calls::{both_sides, call};

struct Desk;

both_sides!(Desk, old: fn uptime(of: String) -> Result<u64, Fault> {
    Ok(length(&of))
});

both_sides!(Desk, new: fn uptime(of: String, unit: Option<u8>) -> Result<u64, Fault> {
    Ok(length(&of) + u64::from(unit.unwrap_or(100)))
});

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap()
}

#[tokio::test]
async fn crossing() {
    assert_eq!(call!(Desk: old => new, |to| to.uptime("us")), Ok(102));
    assert_eq!(call!(Desk: new => old, |to| to.uptime("us", Some(1))), Ok(2));
    assert_eq!(
        call!(Desk: new => old, |to| to.load()),
        Err(CallError::UnknownMethod { method: "pair.Meeting.load".to_owned() })
    );
}
