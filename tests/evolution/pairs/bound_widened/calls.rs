//! A bound is widened: what the old generation does not take fails its own call.

use crate::echo::{cross, fail};

crate::pair!(bound_widened, Equal);
crate::echo::echoes!();

use kaa_rpc_runtime::CallError;

#[tokio::test]
async fn crossing() {
    let (old, new) = (old::Thing { name: "abcd".to_owned() }, new::Thing { name: "abcd".to_owned() });
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
    let long = new::Thing { name: "abcdefgh".to_owned() };
    fail::<New, Old>(long, |error| {
        assert!(matches!(error, CallError::BadRequest(text) if text.contains("name")), "{error}");
    })
    .await;
}
