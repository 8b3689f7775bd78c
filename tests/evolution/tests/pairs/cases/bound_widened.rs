//! A bound is widened: a call with a value that exceeds the old bound fails, and only that call.

use crate::echo::{cross, fail};

crate::pair!(bound_widened, Equal);
crate::echo::echo_both_generations!();

use kaa_rpc_runtime::CallError;

#[tokio::test]
async fn generations_interoperate() {
    let (old, new) = (old::Thing { name: "abcd".to_owned() }, new::Thing { name: "abcd".to_owned() });
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
    let long = new::Thing { name: "abcdefgh".to_owned() };
    fail::<New, Old>(long, |error| {
        assert!(matches!(error, CallError::BadRequest(text) if text.contains("name")), "{error}");
    })
    .await;
}
