//! An `Option` and a parameter with a default are appended: the handler gets `None` and the default if the caller lacks
//! them, and skips them if it lacks them itself.

crate::pair!(parameter_append, Compatible);

use kaa_rpc_runtime::Fault;

use crate::calls::{both_sides, call};

struct Handlers;

both_sides!(Handlers, old: fn put(width: u32) -> Result<String, Fault> {
    Ok(format!("{width}"))
});

both_sides!(Handlers, new:
fn put(width: u32, height: Option<u32>, options: new::PutOptions) -> Result<String, Fault> {
    Ok(format!("{width} {height:?} {}", options.unit))
});

#[tokio::test]
async fn generations_interoperate() {
    assert_eq!(call!(Handlers: old => new, |to| to.put(1)), Ok("1 None mm".to_owned()));
    let options = || new::PutOptions::default().unit("inch");
    assert_eq!(call!(Handlers: new => old, |to| to.put(1, Some(2), options())), Ok("1".to_owned()));
}
