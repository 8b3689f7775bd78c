//! A parameter becomes a tombstone, and another is renamed with `#[selector]`.

crate::pair!(parameter_tombstone, Equal);

use kaa_rpc_runtime::Fault;

use crate::calls::{both_sides, call};

struct Handlers;

both_sides!(Handlers, old: fn put(name: String, width: u32) -> Result<String, Fault> {
    Ok(format!("{name:?} {width}"))
});

both_sides!(Handlers, new: fn put(breadth: u32) -> Result<String, Fault> {
    Ok(format!("{breadth}"))
});

#[tokio::test]
async fn generations_interoperate() {
    assert_eq!(call!(Handlers: old => new, |to| to.put("gone", 1)), Ok("1".to_owned()));
    assert_eq!(call!(Handlers: new => old, |to| to.put(1)), Ok("\"\" 1".to_owned()));
}
