//! A type is renamed with a `#[selector]` that keeps its wire name.

use crate::echo::cross;

crate::pair!(type_rename_selector, Equal);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
    let old = old::Thing { part: old::Part { width: 1 } };
    let new = new::Thing { part: new::Piece { width: 1 } };
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
}
