//! Parameters are appended, an `Option` and one with a default: absent and default where the caller lacks
//! them, skipped where the handler does.

crate::pair!(parameter_append, Compatible);

use kaa_rpc_runtime::Fault;

use crate::calls::{both_sides, call};

struct Desk;

both_sides!(Desk, old: fn put(width: u32) -> Result<String, Fault> {
    Ok(format!("{width}"))
});

both_sides!(Desk, new:
fn put(width: u32, height: Option<u32>, options: new::PutOptions) -> Result<String, Fault> {
    Ok(format!("{width} {height:?} {}", options.unit))
});

#[tokio::test]
async fn crossing() {
    assert_eq!(call!(Desk: old => new, |to| to.put(1)), Ok("1 None mm".to_owned()));
    let options = || new::PutOptions::default().unit("inch");
    assert_eq!(call!(Desk: new => old, |to| to.put(1, Some(2), options())), Ok("1".to_owned()));
}
