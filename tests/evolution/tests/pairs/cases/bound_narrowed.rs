//! A bound is narrowed: a call with a value that exceeds the new bound fails, and only that call.

use crate::echo::{cross, fail};

crate::pair!(bound_narrowed, Equal);
crate::echo::echo_both_generations!();

use kaa_rpc_runtime::CallError;

#[tokio::test]
async fn generations_interoperate() {
    let (old, new) = (old::Thing { sizes: vec![1; 4] }, new::Thing { sizes: vec![1; 4] });
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
    fail::<Old, New>(old::Thing { sizes: vec![1; 5] }, |error| {
        assert!(matches!(error, CallError::BadRequest(text) if text.contains("sizes")), "{error}");
    })
    .await;
}
