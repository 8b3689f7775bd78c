//! An included interface gains a method, and one of its methods a parameter.

crate::pair!(interface_grown, Compatible);

use kaa_rpc_runtime::Fault;

use crate::calls::{both_sides, call, unknown_method};

struct Handlers;

both_sides!(Handlers, old: fn uptime(of: String) -> Result<u64, Fault> {
    Ok(length(&of))
});

both_sides!(Handlers, new: fn uptime(of: String, unit: Option<u8>) -> Result<u64, Fault> {
    Ok(length(&of) + u64::from(unit.unwrap_or(100)))
});

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap()
}

#[tokio::test]
async fn generations_interoperate() {
    assert_eq!(call!(Handlers: old => new, |to| to.uptime("us")), Ok(102));
    assert_eq!(call!(Handlers: new => old, |to| to.uptime("us", Some(1))), Ok(2));
    assert_eq!(call!(Handlers: new => old, |to| to.load()), unknown_method("Meeting.load"));
}
