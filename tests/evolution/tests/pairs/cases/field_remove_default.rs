//! The last field is removed without a tombstone, and has a default: the generations are compatible, but nothing can be
//! appended in its place.

use crate::echo::cross;

crate::pair!(field_remove_default, Compatible);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
    let old = |height| old::Thing { width: 1, height };
    let new = new::Thing { width: 1 };
    cross::<Old, New>(old(3), new.clone(), old(7)).await;
    cross::<New, Old>(new.clone(), old(7), new).await;
}
