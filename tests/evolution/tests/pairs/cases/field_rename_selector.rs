//! A field is renamed with a `#[selector]` that keeps its wire name.

use crate::echo::cross;

crate::pair!(field_rename_selector, Equal);
crate::echo::echo_both_generations!();

#[tokio::test]
async fn generations_interoperate() {
    let (old, new) = (old::Thing { width: 1 }, new::Thing { breadth: 1 });
    cross::<Old, New>(old.clone(), new.clone(), old.clone()).await;
    cross::<New, Old>(new.clone(), old, new).await;
}
